// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver"
)

var _ = Describe("Tokens", Label("security"), func() {
	status := func(t *tenant, r *replica, token string) int {
		GinkgoHelper()
		return t.ask(r, "GET", "/ServiceProviderConfig", "", "Authorization: Bearer "+token).status
	}
	eventually := func(t *tenant, token string, want int) {
		GinkgoHelper()
		for _, r := range replicas {
			Eventually(func() int { return status(t, r, token) }).Should(Equal(want))
		}
	}

	It("of any key are accepted, plain or as a digest, and dropped without a restart", func(ctx SpecContext) {
		t := newTenant(ctx)
		plain, secret := strings.Repeat("p", 40)+t.token, strings.Repeat("d", 40)+t.token
		bound, unbound := v1alpha1.BoundSCIMTokenDigest(t.organization.Namespace, "acme", secret), sha256.Sum256([]byte(t.token))
		t.writeSecret(ctx, map[string]string{"one": plain + "\n", "two": "bound-sha256:" + hex.EncodeToString(bound[:]), "unbound": "sha256:" + hex.EncodeToString(unbound[:]), "short": "too short"}, nil)
		eventually(t, plain, 200)
		eventually(t, secret, 200)
		eventually(t, t.token, 401)
		eventually(t, "too short", 401)

		t.writeSecret(ctx, map[string]string{"two": "bound-sha256:" + hex.EncodeToString(bound[:])}, nil)
		eventually(t, plain, 401)
		eventually(t, secret, 200)
	})
	It("decide the organization", func(ctx SpecContext) {
		one, two := newTenant(ctx), newTenant(ctx)
		id := one.user("ada@example.com")
		two.do(404, "GET", "/Users/"+id, "")
		two.do(404, "PATCH", "/Users/"+id, deactivate)
		Expect(two.do(200, "GET", "/Users", "").ids()).To(BeEmpty())
		Expect(two.do(200, "GET", filtered("/Users", `userName eq "ada@example.com"`), "").ids()).To(BeEmpty())
	})
	It("of two organizations are accepted for neither, until one of them has another", func(ctx SpecContext) {
		one, two := newTenant(ctx), newTenant(ctx)
		id := one.user("ada@example.com")

		two.writeSecret(ctx, map[string]string{"okta": one.token}, nil)

		eventually(one, one.token, 401)
		for _, r := range replicas {
			for _, t := range []*tenant{one, two} {
				Eventually(func() []string {
					return r.log.with("SCIM token", "namespace="+t.organization.Namespace, "TokenConflict")
				}).ShouldNot(BeEmpty())
			}
		}
		two.writeSecret(ctx, map[string]string{"okta": two.token}, nil)
		eventually(one, one.token, 200)
		one.do(200, "GET", "/Users/"+id, "")
	})
	It("open nothing by a digest that was published", func(ctx SpecContext) {
		thief := newTenant(ctx)
		victim := newTenant(ctx)
		bound, unbound := v1alpha1.BoundSCIMTokenDigest(victim.organization.Namespace, "acme", victim.token), sha256.Sum256([]byte(victim.token))
		victim.writeSecret(ctx, map[string]string{"okta": "bound-sha256:" + hex.EncodeToString(bound[:])}, nil)
		thief.writeSecret(ctx, map[string]string{
			"okta": thief.token, "copied": "bound-sha256:" + hex.EncodeToString(bound[:]), "unbound": "sha256:" + hex.EncodeToString(unbound[:]),
		}, nil)
		Eventually(func() []string {
			return replicas[0].log.with("SCIM token", thief.organization.Namespace, "unbound", "TokenIgnored")
		}).ShouldNot(BeEmpty())
		eventually(thief, thief.token, 200)

		id := victim.user("ada@example.com")

		Expect(victim.stored(ctx, id).Namespace).To(Equal(victim.organization.Namespace))
		Expect(thief.do(200, "GET", "/Users", "").ids()).To(BeEmpty())
	})
	It("that LambdaTest gave the operator are never accepted", func(ctx SpecContext) {
		t := newTenant(ctx)
		upstream := strings.Repeat("u", 40) + t.token
		Expect(k8s.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: t.organization.Namespace, Name: "upstream"},
			StringData: map[string]string{"token": upstream + "\n"},
		})).To(Succeed())
		t.writeSecret(ctx, map[string]string{"okta": t.token, "copied": upstream}, nil)

		Eventually(func() []string {
			return replicas[0].log.with("SCIM token", t.organization.Namespace, "LambdaTest gave")
		}).ShouldNot(BeEmpty())
		eventually(t, upstream, 401)
		eventually(t, t.token, 200)
	})
	It("expire by the Secret's annotation", func(ctx SpecContext) {
		t := newTenant(ctx)
		soon := strings.Repeat("s", 40) + t.token
		t.writeSecret(ctx, map[string]string{"okta": t.token, "soon": soon}, map[string]string{
			v1alpha1.ExpiresAnnotationPrefix + "soon": time.Now().Add(3 * time.Second).UTC().Format(time.RFC3339),
		})
		eventually(t, soon, 200)
		Eventually(func() []string { return replicas[0].log.with("SCIM token", t.organization.Namespace, "TokenExpiring") }).ShouldNot(BeEmpty())
		eventually(t, soon, 401)
		eventually(t, t.token, 200)
	})
	It("show when they were last used, and never themselves, in metrics and logs", func(ctx SpecContext) {
		t := newTenant(ctx)
		t.user("ada@example.com")
		families, err := replicas[0].metrics.Gather()
		Expect(err).NotTo(HaveOccurred())
		var text strings.Builder
		for _, family := range families {
			text.WriteString(family.String())
		}
		Expect(text.String()).To(ContainSubstring("lambdatest_scim_token_last_use_timestamp_seconds"))
		Expect(text.String()).To(ContainSubstring(t.organization.Namespace))
		Expect(text.String()).NotTo(ContainSubstring(t.token))
		Expect(replicas[0].log.with(t.token)).To(BeEmpty())
		Expect(replicas[0].log.with("SCIM write", "tokenKey=okta", "namespace="+t.organization.Namespace)).NotTo(BeEmpty())
	})
	DescribeTable("that are none are refused with 401 in SCIM JSON", func(ctx SpecContext, header string) {
		t := newTenant(ctx)
		a := t.ask(replicas[0], "GET", "/Users", "", "Authorization: "+strings.ReplaceAll(header, "TOKEN", t.token))
		Expect(a.status).To(Equal(401))
		Expect(a.json).To(HaveKeyWithValue("status", "401"))
		Expect(a.json["detail"]).NotTo(BeEmpty())
		challenge := `Bearer realm="scim"`
		if header != "" {
			challenge += `, error="invalid_token"` // RFC 6750, section 3.1
		}
		Expect(a.header.Get("WWW-Authenticate")).To(Equal(challenge))
	},
		Entry("no scheme", "TOKEN"), Entry("another scheme", "Basic TOKEN"), Entry("nothing", ""), Entry("cut off", "Bearer TOKE"),
		Entry("with more behind it", "Bearer TOKENx"))
	It("are read in any case of the scheme", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(t.ask(replicas[0], "GET", "/Users", "", "Authorization: bearer "+t.token).status).To(Equal(200))
	})
})

var _ = Describe("Limits", Label("security"), func() {
	var slow *replica
	BeforeEach(func() {
		slow = startReplica(scimserver.Options{Limits: scimserver.Limits{RequestsPerSecond: 5, RequestBurst: 10, UserBodyBytes: 4096, FailedAttempts: 60}})
		DeferCleanup(func() { slow.stop(); Eventually(slow.done).Should(Receive(BeNil())) })
	})

	It("of requests per token answer 429 with whole seconds in Retry-After", func(ctx SpecContext) {
		t := newTenant(ctx)
		Eventually(func() int { return t.ask(slow, "GET", "/Users", "").status }).Should(Equal(200))
		var refused answered
		for range 20 {
			if refused = t.ask(slow, "GET", "/Users", ""); refused.status == 429 {
				break
			}
		}
		Expect(refused.status).To(Equal(429))
		Expect(strconv.Atoi(refused.header.Get("Retry-After"))).To(BeNumerically(">=", 1))
		other := newTenant(ctx)
		Eventually(func() int { return other.ask(slow, "GET", "/Users", "").status }).Should(Equal(200), "another token has a budget of its own")
	})
	It("of failed attempts per address never touch a valid token", func(ctx SpecContext) {
		t := newTenant(ctx)
		statuses := map[int]int{}
		for i := range 100 {
			statuses[t.ask(slow, "GET", "/Users", "", fmt.Sprintf("Authorization: Bearer guess-%d", i)).status]++
		}
		Expect(statuses[401]).To(BeNumerically(">=", 50))
		Expect(statuses[429]).To(BeNumerically(">=", 10))
		Expect(t.ask(slow, "GET", "/Users", "").status).To(Equal(200))
	})
	It("of bodies answer 413", func(ctx SpecContext) {
		t := newTenant(ctx)
		Eventually(func() int { return t.ask(slow, "GET", "/Users", "").status }).Should(Equal(200))
		Expect(t.ask(slow, "POST", "/Users", userBody("ada@example.com", `"x":"`+strings.Repeat("x", 5000)+`"`)).status).To(Equal(413))
		Expect(t.ask(slow, "POST", "/Groups", `{"displayName":"G","x":"`+strings.Repeat("x", 5000)+`"}`).status).To(Equal(201), "groups may be larger")
	})
})

var _ = Describe("A server that stops", func() {
	It("says that it is not ready, and goes on answering until load balancers have noticed", func(ctx SpecContext) {
		t := newTenant(ctx)
		r := startReplica(scimserver.Options{DrainDelay: 5 * time.Second})
		Eventually(func() int { return t.ask(r, "GET", "/Users", "").status }).Should(Equal(200))
		r.stop()
		Eventually(func() error { return r.server.Ready(nil) }).Should(HaveOccurred())
		a := t.ask(r, "POST", "/Users", userBody("drain@example.com"))
		Expect(a.status).To(Equal(201))
		Eventually(r.done).WithTimeout(20 * time.Second).Should(Receive(BeNil()))
	})
	It("answers what is in flight", func(ctx SpecContext) {
		t := newTenant(ctx)
		r := startReplica(scimserver.Options{})
		Eventually(func() int { return t.ask(r, "GET", "/Users", "").status }).Should(Equal(200))
		body := userBody("slow@example.com")
		connection, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(r.url, "http://"), scimserver.BasePath))
		Expect(err).NotTo(HaveOccurred())
		defer func() { _ = connection.Close() }()
		_, err = fmt.Fprintf(connection, "POST %s/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
			scimserver.BasePath, t.token, len(body), body[:10])
		Expect(err).NotTo(HaveOccurred())
		time.Sleep(300 * time.Millisecond) // the request is being read now
		r.stop()
		Eventually(func() error { return r.server.Ready(nil) }).Should(HaveOccurred())
		Consistently(r.done).WithTimeout(300 * time.Millisecond).ShouldNot(Receive())
		_, err = fmt.Fprint(connection, body[10:])
		Expect(err).NotTo(HaveOccurred())
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(response.StatusCode).To(Equal(201))
		Eventually(r.done).Should(Receive(BeNil()))
	})
	It("is answered for by the other replica", func(ctx SpecContext) {
		t := newTenant(ctx)
		r := startReplica(scimserver.Options{})
		Eventually(func() int { return t.ask(r, "GET", "/Users", "").status }).Should(Equal(200))
		id := t.ask(r, "POST", "/Users", userBody("ada@example.com")).json["id"].(string)
		r.stop()
		Expect(t.ask(replicas[1], "GET", "/Users/"+id, "").status).To(Equal(200))
	})
})

var _ = Describe("While the API server is away", Label("security"), func() {
	It("reads and writes are put off: 503 with Retry-After, and the list stays", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.user("ada@example.com")
		failing := &unreachable{Client: k8s}
		r := startReplica(scimserver.Options{Client: failing, Reader: failing})
		DeferCleanup(func() { r.stop(); Eventually(r.done).Should(Receive(BeNil())) })
		Eventually(func() int { return t.ask(r, "GET", "/Users", "").status }).Should(Equal(200))
		failing.away.Store(true)
		for _, a := range []answered{
			t.ask(r, "GET", "/Users/"+id, ""), t.ask(r, "PATCH", "/Users/"+id, deactivate), t.ask(r, "POST", "/Users", userBody("b@example.com")),
			t.ask(r, "GET", filtered("/Users", `userName eq "ada@example.com"`), ""), t.ask(r, "DELETE", "/Users/"+id, ""),
			t.ask(r, "POST", "/Groups", `{"displayName":"G"}`),
		} {
			Expect(a.status).To(Equal(http.StatusServiceUnavailable), a.text)
			Expect(strconv.Atoi(a.header.Get("Retry-After"))).To(BeNumerically(">=", 1))
		}
		Expect(t.ask(r, "GET", "/Users", "").ids()).To(ConsistOf(id))
		failing.away.Store(false)
		Expect(t.ask(r, "GET", "/Users/"+id, "").status).To(Equal(200))
	})

	It("a group's name is not taken for free because nobody can tell", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.do(201, "POST", "/Groups", `{"displayName":"QA"}`).json["id"]
		t.do(200, "PUT", fmt.Sprintf("/Groups/%s", id), `{"displayName":"Testers"}`)
		failing := &unreachable{Client: k8s, only: fmt.Sprint(id)}
		r := startReplica(scimserver.Options{Client: k8s, Reader: failing})
		DeferCleanup(func() { r.stop(); Eventually(r.done).Should(Receive(BeNil())) })
		Eventually(func() []string { return t.ask(r, "GET", filtered("/Groups", `displayName eq "Testers"`), "").ids() }).Should(ConsistOf(id))

		failing.away.Store(true)
		Expect(t.ask(r, "POST", "/Groups", `{"displayName":"testers"}`).status).To(Equal(http.StatusServiceUnavailable))

		failing.away.Store(false)
		Expect(t.do(200, "GET", "/Groups", "").ids()).To(ConsistOf(id))
	})
})

var _ client.Client = (*unreachable)(nil)
