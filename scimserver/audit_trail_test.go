// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver"
)

// auditTrail is what a replica has written into the audit trail.
type auditTrail struct {
	mu      sync.Mutex
	written bytes.Buffer
}

// Write implements io.Writer.
func (t *auditTrail) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.written.Write(line)
}

// lines are those of an organization about an event.
func (t *auditTrail) lines(of *tenant, event audit.Event) []audit.Line {
	GinkgoHelper()
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []audit.Line
	for decoder := json.NewDecoder(bytes.NewReader(t.written.Bytes())); decoder.More(); {
		var line audit.Line
		Expect(decoder.Decode(&line)).To(Succeed())
		if line.Namespace == of.organization.Namespace && line.Event == event {
			lines = append(lines, line)
		}
	}
	return lines
}

var _ = Describe("The audit trail", Label("audit"), func() {
	var r *replica
	var t *tenant
	var trail *auditTrail
	BeforeEach(func(ctx SpecContext) {
		t, trail = newTenant(ctx), &auditTrail{}
		r = startReplica(scimserver.Options{Audit: audit.New(logr.FromSlogHandler(slog.NewJSONHandler(trail, nil)), false)})
		DeferCleanup(func() { r.stop(); Eventually(r.done).Should(Receive(BeNil())) })
	})
	answers := func(token string) func() int {
		return func() int {
			return t.ask(r, "GET", "/ServiceProviderConfig", "", "Authorization: Bearer "+token).status
		}
	}

	It("has the first use of a token, and the first refusal of one that is in a Secret", func(ctx SpecContext) {
		fresh, expired := strings.Repeat("f", 40)+t.token, strings.Repeat("e", 40)+t.token
		t.writeSecret(ctx, map[string]string{"okta": t.token, "fresh": fresh, "expired": expired}, map[string]string{
			v1alpha1.ExpiresAnnotationPrefix + "expired": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339),
		})
		Eventually(answers(fresh)).Should(Equal(200))
		for range 3 {
			Expect(answers(fresh)()).To(Equal(200))
			Expect(answers(expired)()).To(Equal(401))
			Expect(answers(strings.Repeat("guess", 10))()).To(Equal(401))
		}

		Expect(trail.lines(t, audit.TokenUsed)).To(HaveExactElements(And(
			HaveField("TokenKey", "fresh"), HaveField("Organization", t.organization.Name), HaveField("Resource", "Secret/acme-scim-token"))))
		Expect(trail.lines(t, audit.TokenRefused)).To(HaveExactElements(And(HaveField("TokenKey", "expired"), HaveField("Reason", v1alpha1.TokenIgnoredReason))))
		Expect(trail.written.String()).NotTo(ContainSubstring(t.token))
	})

	It("has a denial that was applied in part, without an address", func() {
		id := t.user("ada@example.com")
		Expect(t.ask(r, "PUT", "/Users/"+id, `{"active":false,"userName":"ada.lovelace@example.com"}`).status).To(Equal(200))

		Expect(trail.lines(t, audit.DeniedInPart)).To(HaveExactElements(And(
			HaveField("Resource", "LambdaTestUser/"+id), HaveField("Person", v1alpha1.PersonDigest(t.organization.Name, "ada@example.com")),
			HaveField("Reason", "mutability"), HaveField("TokenKey", "okta"))))
		Expect(trail.written.String()).NotTo(ContainSubstring("example.com"))
	})
})

var _ = Describe("The line about a change of a user", Label("audit"), func() {
	It("says what matters most: denied, reactivated, role changed", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.user("ada@example.com")
		outcomes := func(outcome string) []string {
			return replicas[0].log.with("SCIM write", "namespace="+t.organization.Namespace+" ", "User/"+id, "outcome="+outcome)
		}
		patch := func(operation string) {
			GinkgoHelper()
			Expect(t.ask(replicas[0], "PATCH", "/Users/"+id, `{"Operations":[`+operation+`]}`).status).To(Equal(200))
		}

		patch(`{"op":"replace","value":{"active":false,"displayName":"Ada"}}`)
		Expect(outcomes("denied")).To(HaveLen(1))
		patch(`{"op":"replace","value":{"displayName":"Countess"}}`)
		Expect(outcomes("changed")).To(HaveLen(1))
		patch(`{"op":"replace","value":{"active":true}}`)
		Expect(outcomes("reactivated")).To(HaveLen(1))
		patch(`{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User:OrganizationRole","value":"Admin"}`)
		Expect(outcomes("role changed")).To(HaveLen(1))
		patch(`{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User:OrganizationRole","value":"Admin"}`)
		Expect(outcomes("unchanged")).To(HaveLen(1))
	})
})
