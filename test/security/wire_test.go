// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package security

import (
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("On the wire", Label("wire"), func() {
	// smuggled is what must not be carried out, behind a request whose end is told in two ways.
	const smuggled = "DELETE /scim/v2/Users/VICTIM HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\n\n"

	DescribeTable("a request whose end can be told in two ways is refused, and what hides in it is not carried out",
		func(ctx SpecContext, head, body string) {
			victim := acme.user(ctx, address("victim"))
			connection := dial()
			connection.says(acme, strings.ReplaceAll("POST /scim/v2/Users HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\nContent-Type: "+scimType+"\n"+head+"\n"+body, "VICTIM", victim))
			answers, _ := connection.hears(time.Second)
			Expect(statuses(answers)).NotTo(ContainElement(http.StatusNoContent), "%v", answers)
			Expect(acme.ask(ctx, http.MethodGet, "/Users/"+victim, "").status).To(Equal(http.StatusOK))
		},
		Entry("two lengths", "Content-Length: 2\nContent-Length: 200\n", "{}"+smuggled),
		Entry("two lengths in one header", "Content-Length: 2, 200\n", "{}"+smuggled),
		Entry("a length with a sign", "Content-Length: +2\n", "{}"+smuggled),
		Entry("a negative length", "Content-Length: -2\n", smuggled),
		Entry("a length beside chunks, which win", "Content-Length: 200\nTransfer-Encoding: identity, chunked\n", "0\n\n"+smuggled),
		Entry("chunks twice", "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n", "0\n\n"+smuggled),
		Entry("chunks in a spelling of their own", "Transfer-Encoding: xchunked\nContent-Length: 2\n", "{}"+smuggled),
		Entry("a header name with a blank", "Transfer-Encoding : chunked\nContent-Length: 2\n", "{}"+smuggled),
		Entry("a folded header", "X: y\n Content-Length: 200\nContent-Length: -1\n", "{}"+smuggled),
		Entry("a chunk that is longer than 64 bits", "Transfer-Encoding: chunked\n", "FFFFFFFFFFFFFFFFF\n"+smuggled),
		Entry("a chunk size with a sign", "Transfer-Encoding: chunked\n", "+2\n{}\n0\n\n"+smuggled),
	)

	DescribeTable("a path is what it says, and never another",
		func(ctx SpecContext, target string) {
			victim := acme.user(ctx, address("victim"))
			connection := dial()
			connection.says(acme, "DELETE "+strings.ReplaceAll(target, "VICTIM", victim)+" HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\nConnection: close\n\n")
			answers, _ := connection.hears(time.Second)
			Expect(statuses(answers)).To(HaveEach(And(BeNumerically(">=", 400), BeNumerically("<", 500))), "%v", answers)
			Expect(acme.ask(ctx, http.MethodGet, "/Users/"+victim, "").status).To(Equal(http.StatusOK))
		},
		Entry("dots", "/scim/v2/Groups/../Users/VICTIM"),
		Entry("encoded dots", "/scim/v2/Groups/%2e%2e/Users/VICTIM"),
		Entry("dots with an encoded slash", "/scim/v2/Groups/..%2fUsers/VICTIM"),
		Entry("an encoded slash", "/scim/v2/Users%2fVICTIM"),
		Entry("a slash encoded twice", "/scim/v2/Users%252fVICTIM"),
		Entry("a backslash", `/scim/v2/Users\VICTIM`),
		Entry("two slashes", "/scim/v2//Users/VICTIM"),
		Entry("a way out of the endpoint", "/scim/v2/../v2/Users/VICTIM"),
		Entry("another prefix", "/SCIM/v2/Users/VICTIM"),
		Entry("a parameter", "/scim/v2/Users;x=y/VICTIM"),
		Entry("an encoded NUL", "/scim/v2/Users/VICTIM%00"),
		Entry("an encoded line break", "/scim/v2/Users/VICTIM%0d%0a"),
		Entry("bytes that are no UTF-8", "/scim/v2/Users/VICTIM%ff"),
		Entry("a fragment", "/scim/v2/Users/VICTIM%23x"),
		Entry("an absolute URL with another path", "http://"+metadata+"/latest/meta-data"),
		Entry("no path at all", "*"),
		Entry("an authority", metadata+":80"),
	)

	It("an absolute URL does not make the endpoint a proxy", func() {
		connection := dial()
		connection.says(acme, "GET "+env.Simulator.URL()+"/scim/v2/ServiceProviderConfig HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\nConnection: close\n\n")
		answers, _ := connection.hears(5 * time.Second)
		Expect(answers).To(HaveLen(1))
		Expect(answers[0].body).To(ContainSubstring("/scim/v2/ServiceProviderConfig"), "the endpoint's own, whatever host is named")
		Expect(env.Simulator.Count("GET /scim/v2/ServiceProviderConfig")).To(BeZero())
	})

	It("headers of proxies change neither verb nor path nor tenant", func(ctx SpecContext) {
		victim := acme.user(ctx, address("victim"))
		connection := dial()
		connection.says(acme, "GET /scim/v2/Users/"+victim+" HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\nX-HTTP-Method-Override: DELETE\nX-Method-Override: DELETE\n"+
			"X-Original-URL: /metrics\nX-Rewrite-URL: /metrics\nX-Forwarded-User: mallory\nX-Remote-User: mallory\nConnection: close\n\n")
		answers, _ := connection.hears(5 * time.Second)
		Expect(statuses(answers)).To(Equal([]int{http.StatusOK}))
		Expect(answers[0].json()).To(HaveKeyWithValue("id", victim))
	})

	DescribeTable("nonsense is refused, and the connection closed",
		func(request string) {
			connection := dial()
			connection.says(acme, request)
			answers, closed := connection.hears(5 * time.Second)
			Expect(statuses(answers)).To(HaveEach(And(BeNumerically(">=", 400), BeNumerically("<", 600))), "%v", answers)
			Expect(closed).To(BeTrue())
		},
		Entry("no HTTP", "\x16\x03\x01\x02\x00\x01\n\n"),
		Entry("HTTP/0.9", "GET /scim/v2/Users\n\n"),
		Entry("HTTP/2 without TLS", "PRI * HTTP/2.0\n\nSM\n\n"),
		Entry("no host", "GET /scim/v2/Users HTTP/1.1\nAuthorization: Bearer TOKEN\n\n"),
		Entry("two hosts", "GET /scim/v2/Users HTTP/1.1\nHost: x\nHost: y\nAuthorization: Bearer TOKEN\n\n"),
		Entry("a host that breaks a line", "GET /scim/v2/Users HTTP/1.1\nHost: x\ry\nAuthorization: Bearer TOKEN\n\n"),
		Entry("a NUL in a header", "GET /scim/v2/Users HTTP/1.1\nHost: x\nX: \x00\n\n"),
		Entry("headers beyond the limit", "GET /scim/v2/Users HTTP/1.1\nHost: x\nX: "+strings.Repeat("x", 64<<10)+"\n\n"),
		Entry("many headers beyond the limit", "GET /scim/v2/Users HTTP/1.1\nHost: x\n"+strings.Repeat("X: y\n", 20_000)+"\n"),
	)

	It("a client cannot write lines of its own into the log", func(ctx SpecContext) {
		forged := "forged-by-a-client"
		connection := dial()
		connection.says(acme, "POST /scim/v2/Users HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\nX-Request-Id: a\tlevel=ERROR msg="+forged+"\n"+
			"X-Forwarded-For: 1.2.3.4\" outcome=\""+forged+"\nContent-Length: 2\nConnection: close\n\n{}")
		answers, _ := connection.hears(5 * time.Second)
		Expect(statuses(answers)).To(Equal([]int{http.StatusBadRequest}))
		Expect(linesWith("msg=" + forged)).To(BeEmpty())
		Expect(linesWith(`outcome="`+forged)).To(BeEmpty(), "quotes are escaped")
	})
})
