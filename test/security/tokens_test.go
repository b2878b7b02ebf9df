// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package security

import (
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

var _ = Describe("Guessing a token", Label("tokens"), func() {
	It("is answered the same, however much of the token was right", func(ctx SpecContext) {
		right := acme.SCIMToken
		var first reply
		for i, guess := range []string{"x", right[:1], right[:len(right)-1], right + "x", right[1:], strings.ToUpper(right), strings.Repeat("x", len(right))} {
			answer := acme.say(ctx, http.MethodGet, "/Users", nil, "Bearer "+guess)
			Expect(answer.status).To(Equal(http.StatusUnauthorized))
			if i == 0 {
				first = answer
			}
			Expect(answer.body).To(Equal(first.body))
		}
	})

	It("takes the same time, however much of the token was right", FlakeAttempts(3), func(ctx SpecContext) {
		const rounds = 300
		nothing := strings.Repeat("x", len(acme.SCIMToken))
		nearly := acme.SCIMToken[:len(acme.SCIMToken)-1] + "x"
		took := map[string][]time.Duration{}
		for range rounds {
			for _, guess := range []string{nothing, nearly} {
				started := time.Now()
				acme.say(ctx, http.MethodGet, "/Users", nil, "Bearer "+guess)
				took[guess] = append(took[guess], time.Since(started))
			}
		}
		a, b := median(took[nothing]), median(took[nearly])
		AddReportEntry("medians", named("nothing right %s, all but one character right %s, %d requests each", a, b, rounds))
		Expect(float64(b) / float64(a)).To(BeNumerically("~", 1, 0.25))
	})

	It("is limited per address, and the provider at the same address goes on", func(ctx SpecContext) {
		counted := map[int]int{}
		for i := range 400 {
			answer := acme.say(ctx, http.MethodGet, "/Users", nil, named("Bearer guess-%d", i))
			counted[answer.status]++
			if answer.status == http.StatusTooManyRequests {
				Expect(answer.header.Get("Retry-After")).To(MatchRegexp(`^[1-9]\d*$`))
			}
		}
		Expect(counted).To(HaveKeyWithValue(http.StatusTooManyRequests, BeNumerically(">=", 100)), "%v", counted)
		Expect(acme.ask(ctx, http.MethodGet, "/Users", "").status).To(Equal(http.StatusOK))
	})

	DescribeTable("is not helped by another place for it", func(ctx SpecContext, request string) {
		connection := dial()
		connection.says(acme, request)
		answers, _ := connection.hears(5 * time.Second)
		Expect(statuses(answers)).To(ConsistOf(BeElementOf(http.StatusUnauthorized, http.StatusTooManyRequests)))
	},
		Entry("the query", "GET /scim/v2/Users?access_token=TOKEN HTTP/1.1\nHost: x\nConnection: close\n\n"),
		Entry("a cookie", "GET /scim/v2/Users HTTP/1.1\nHost: x\nCookie: token=TOKEN\nConnection: close\n\n"),
		Entry("the body", "POST /scim/v2/Users HTTP/1.1\nHost: x\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 13\nConnection: close\n\naccess_token="),
		Entry("the password of Basic", "GET /scim/v2/Users HTTP/1.1\nHost: x\nAuthorization: Basic TOKEN\nConnection: close\n\n"),
		Entry("a second header", "GET /scim/v2/Users HTTP/1.1\nHost: x\nAuthorization: Bearer x\nAuthorization: Bearer TOKEN\nConnection: close\n\n"),
		Entry("a list of tokens", "GET /scim/v2/Users HTTP/1.1\nHost: x\nAuthorization: Bearer x, Bearer TOKEN\nConnection: close\n\n"),
	)
})

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

var _ = Describe("The token of another tenant", Label("tenants"), func() {
	It("is told of users and groups what it is told of those that never were", func(ctx SpecContext) {
		ada := acme.user(ctx, address("ada"))
		group := acme.ask(ctx, http.MethodPost, "/Groups", `{"displayName":"`+address("team")+`","members":[{"value":"`+ada+`"}]}`).id()
		neverUser, neverGroup := v1alpha1.SCIMUserName("nowhere", address("nobody")), v1alpha1.SCIMGroupName("nowhere", address("nothing"), 0)
		for _, attempt := range []struct{ method, path, body string }{
			{http.MethodGet, "/Users/USER", ""},
			{http.MethodPut, "/Users/USER", userBody("x@example.com")},
			{http.MethodPatch, "/Users/USER", `{"Operations":[{"op":"replace","path":"active","value":false}]}`},
			{http.MethodDelete, "/Users/USER", ""},
			{http.MethodGet, "/Groups/GROUP", ""},
			{http.MethodPut, "/Groups/GROUP", `{"displayName":"x"}`},
			{http.MethodPatch, "/Groups/GROUP", `{"Operations":[{"op":"add","path":"members","value":[{"value":"USER"}]}]}`},
			{http.MethodDelete, "/Groups/GROUP", ""},
			{http.MethodGet, "/Groups/USER", ""},
			{http.MethodPost, "/Groups", `{"displayName":"thieves","members":[{"value":"USER"}]}`},
			{http.MethodGet, filtered("/Users", `id eq "USER"`), ""},
			{http.MethodGet, filtered("/Groups", `members.value eq "USER"`), ""},
			{http.MethodPost, "/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"id eq \"USER\""}`},
		} {
			about := func(user, group string) reply {
				ids := strings.NewReplacer("USER", user, "GROUP", group)
				answer := mallory.ask(ctx, attempt.method, ids.Replace(attempt.path), ids.Replace(attempt.body))
				answer.body = strings.NewReplacer(user, "USER", group, "GROUP").Replace(answer.body)
				return answer
			}
			theirs, nobodys := about(ada, group), about(neverUser, neverGroup)
			Expect(theirs.status).To(Equal(nobodys.status), "%s %s", attempt.method, attempt.path)
			Expect(theirs.body).To(Equal(nobodys.body), "%s %s", attempt.method, attempt.path)
		}
		Expect(acme.ask(ctx, http.MethodGet, "/Users/"+ada, "").json()).To(HaveKeyWithValue("active", true))
	})

	It("does not continue a list by a cursor, nor learn from one", func(ctx SpecContext) {
		acme.user(ctx, address("first"))
		acme.user(ctx, address("second"))
		var page map[string]any
		Eventually(func() map[string]any {
			page = acme.ask(ctx, http.MethodGet, "/Users?cursor&count=1", "").json()
			return page
		}).Should(HaveKey("nextCursor"))

		stolen := mallory.ask(ctx, http.MethodGet, "/Users?count=1&cursor="+page["nextCursor"].(string), "")

		Expect(stolen.status).To(Equal(http.StatusBadRequest))
		Expect(stolen.json()).To(HaveKeyWithValue("scimType", "invalidCursor"))
	})

	It("counts and finds its own people only", func(ctx SpecContext) {
		userName := address("ada")
		acme.user(ctx, userName)
		for _, filter := range []string{`userName eq "` + userName + `"`, `userName co "ada"`, `active eq true or active eq false`, `not (userName eq "x")`} {
			found := mallory.ask(ctx, http.MethodGet, filtered("/Users", filter), "")
			Expect(found.status).To(Equal(http.StatusOK), found.body)
			Expect(found.body).NotTo(ContainSubstring(userName))
		}
	})

	It("may use the same name for people and groups, who are others", func(ctx SpecContext) {
		userName := address("twin")
		Expect(mallory.user(ctx, userName)).NotTo(Equal(acme.user(ctx, userName)), "an id of one tenant is none of the other's")
	})
})
