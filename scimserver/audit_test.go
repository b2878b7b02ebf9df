// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver"
)

var _ = Describe("The log", Label("security"), func() {
	var r *replica
	var t *tenant
	BeforeEach(func(ctx SpecContext) {
		t = newTenant(ctx)
		r = startReplica(scimserver.Options{Limits: scimserver.Limits{RequestsPerSecond: 5, RequestBurst: 10, FailedAttempts: 50}})
		DeferCleanup(func() { r.stop(); Eventually(r.done).Should(Receive(BeNil())) })
	})

	It("has a sample of guesses, with the client and without the token", func() {
		for i := range 100 {
			t.ask(r, "GET", "/Users", "", fmt.Sprintf("Authorization: Bearer guess-%d", i))
		}
		guesses := r.log.with("SCIM request refused", "status=401")
		Expect(len(guesses)).To(And(BeNumerically(">=", 1), BeNumerically("<=", 20)))
		Expect(guesses[0]).To(And(ContainSubstring("client=127.0.0.1"), ContainSubstring("leftOut=0")))
		Expect(r.log.with("SCIM request refused", "status=429")).NotTo(BeEmpty())
		Expect(r.log.with("guess-")).To(BeEmpty())
	})
	It("has no line for each request over the limit of a token", func() {
		for range 100 {
			t.ask(r, "DELETE", "/Users/scim-aaaaaaaaaaaaaaaaaaaaaaaaaa", "")
		}
		Expect(len(r.log.with("status=429"))).To(And(BeNumerically(">=", 1), BeNumerically("<=", 20)))
		Expect(r.log.with("SCIM request refused", "status=429", "tokenKey=okta", "namespace="+t.organization.Namespace)).NotTo(BeEmpty())
		Expect(r.log.with("SCIM write", "status=429")).To(BeEmpty())
	})
	It("has a sample of reads", func() {
		for range 5 {
			t.ask(r, "GET", "/Users", "")
		}
		reads := r.log.with("SCIM read", "namespace="+t.organization.Namespace)
		Expect(reads).To(HaveLen(1))
		Expect(reads[0]).To(And(ContainSubstring("tokenKey=okta"), ContainSubstring("client=127.0.0.1")))
	})
	It("holds no address that a client puts into a path", func() {
		Expect(t.ask(r, "PATCH", "/Users/ada@example.com", deactivate).status).To(Equal(404))
		Expect(r.log.with("SCIM write", "outcome=refused")).NotTo(BeEmpty())
		Expect(r.log.with("example.com")).To(BeEmpty())
	})
	It("and the answer to a wrong token say how to find the right one", func() {
		a := t.ask(r, "GET", "/Users", "", "Authorization: Bearer "+strings.Repeat("x", 40))
		Expect(a.json["detail"]).To(And(ContainSubstring("<organization>-scim-token"), ContainSubstring("not the one that LambdaTest gave"), ContainSubstring("Bearer")))
	})
})

var _ = Describe("What proxies and editors add", func() {
	It("is read past: a byte order mark, and a list of protocols", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.do(201, "POST", "/Users", "\ufeff"+userBody("ada@example.com")).json["id"].(string)
		Expect(t.do(200, "PATCH", "/Users/"+id, "\ufeff"+deactivate).json).To(HaveKeyWithValue("active", false))
		meta := t.do(200, "GET", "/Users/"+id, "", "X-Forwarded-Proto: https, http").json["meta"]
		Expect(meta).To(HaveKeyWithValue("location", HavePrefix("https://")))
	})
})
