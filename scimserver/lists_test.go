// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"fmt"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Lists", func() {
	var t *tenant
	var users []string
	BeforeEach(func(ctx SpecContext) {
		t = newTenant(ctx)
		users = nil
		for i := range 25 {
			users = append(users, t.user(fmt.Sprintf("user%02d@example.com", i), fmt.Sprintf(`"displayName":"User %02d"`, i)))
		}
	})
	list := func(query string) answered { GinkgoHelper(); return t.do(200, "GET", "/Users"+query, "") }

	It("count right and page in one order on every replica", func() {
		var seen []string
		for start := 1; start <= 25; start += 10 {
			a := list(fmt.Sprintf("?startIndex=%d&count=10", start))
			Expect(a.json).To(HaveKeyWithValue("totalResults", BeNumerically("==", 25)))
			Expect(a.json).To(HaveKeyWithValue("startIndex", BeNumerically("==", start)))
			Expect(a.json).To(HaveKeyWithValue("itemsPerPage", BeNumerically("==", len(a.ids()))))
			seen = append(seen, a.ids()...)
		}
		Expect(seen).To(Equal(users), "in the order of their creation, also within a second")
		Eventually(func() []string { return t.ask(replicas[1], "GET", "/Users", "").ids() }).Should(Equal(seen))
	})
	It("show a write of this replica at once", func() {
		for i := range 20 {
			id := t.user(fmt.Sprintf("late%d@example.com", i))
			Expect(list("").ids()).To(ContainElement(id))
			t.do(200, "PATCH", "/Users/"+id, deactivate)
			Expect(t.do(200, "GET", filtered("/Users", fmt.Sprintf(`displayName pr or active eq false and userName sw "late%d@"`, i)), "").ids()).To(ContainElement(id))
			t.do(204, "DELETE", "/Users/"+id, "")
			Expect(list("").ids()).NotTo(ContainElement(id))
		}
	})
	It("read a semicolon in a query as any other character", func() {
		Expect(list("?filter=" + strings.ReplaceAll(`displayName eq "a;b"`, " ", "%20")).ids()).To(BeEmpty())
	})
	It("show inactive users", func() {
		t.do(200, "PATCH", "/Users/"+users[3], deactivate)
		Expect(list("").ids()).To(ContainElement(users[3]))
	})
	DescribeTable("read their parameters as RFC 7644, section 3.4.2.4, has them", func(query string, items, start int) {
		a := list(query)
		Expect(a.json).To(HaveKeyWithValue("totalResults", BeNumerically("==", 25)))
		Expect(a.json).To(HaveKeyWithValue("startIndex", BeNumerically("==", start)))
		Expect(a.ids()).To(HaveLen(items))
	},
		Entry("no parameters", "", 25, 1),
		Entry("a trailing question mark", "?", 25, 1),
		Entry("a trailing ampersand", "?count=3&", 3, 1),
		Entry("count 0", "?count=0", 0, 1),
		Entry("a negative count", "?count=-5", 0, 1),
		Entry("startIndex 0", "?startIndex=0&count=2", 2, 1),
		Entry("beyond the end", "?startIndex=100", 0, 100),
		Entry("a huge startIndex", "?startIndex=9223372036854775807&count=1000", 0, 9223372036854775807),
		Entry("more than the most", "?count=100000", 25, 1),
		Entry("unknown parameters, as Entra's flag", "?aadOptscim062020&foo=bar", 25, 1),
		Entry("names in another case", "?STARTINDEX=25&Count=7", 1, 25),
		Entry("an empty filter", "?filter=", 25, 1),
		Entry("sort, which is not supported", "?sortBy=userName&sortOrder=descending", 25, 1),
	)
	DescribeTable("refuse parameters that are none", func(query, scimType string) {
		Expect(t.do(400, "GET", "/Users"+query, "").json).To(HaveKeyWithValue("scimType", scimType))
	},
		Entry("a count that is no number", "?count=many", "invalidValue"),
		Entry("a start that is no number", "?startIndex=1.5", "invalidValue"),
		Entry("a filter that is cut off on the wire", "?filter=userName%20eq%2", "invalidValue"),
		Entry("two filters", "?filter=userName%20pr&filter=title%20pr", "invalidFilter"),
		Entry("a filter nobody understands", "?filter=shoeSize+eq+38", "invalidFilter"),
		Entry("a cursor from nowhere", "?cursor=abc", "invalidCursor"),
		Entry("a count below 1 with a cursor", "?cursor&count=0", "invalidCount"),
		Entry("a negative count with a cursor", "?cursor=&count=-1", "invalidCount"),
		Entry("a count that is no number, with a cursor", "?cursor&count=abc", "invalidCount"),
	)
	It("find by any stored attribute", func() {
		a := t.do(200, "GET", filtered("/Users", `displayName eq "user 07" or name.familyName sw "exam" and userName co "13"`)+"&startIndex=2&count=1", "")
		Expect(a.json).To(HaveKeyWithValue("totalResults", BeNumerically("==", 2)))
		Expect(a.ids()).To(ConsistOf(users[13]))
		Expect(t.do(200, "GET", filtered("/Users", fmt.Sprintf("id eq %q", users[4])), "").ids()).To(Equal(users[4:5]))
		Expect(t.do(200, "GET", filtered("/Users", `userName eq "user04@example.com" and active eq false`), "").ids()).To(BeEmpty())
	})

	It("of all types take an attribute that a type does not have for absent", func() {
		group := t.group("Engineers", users[3])
		search := func(filter string) []string {
			GinkgoHelper()
			return t.do(200, "POST", "/.search", fmt.Sprintf(`{"filter":%q}`, filter)).ids()
		}
		Expect(search(`displayName eq "Engineers" or userName sw "user07"`)).To(Equal([]string{users[7], group}))
		Expect(search(`not (userName pr)`)).To(Equal([]string{group}))
		Expect(search(`not (members[value pr]) and displayName co "User 0"`)).To(Equal(users[:10]))
		Expect(search(fmt.Sprintf(`members.value eq %q`, users[3]))).To(Equal([]string{group}))
		for _, filter := range []string{`shoeSize eq 38 or userName pr`, `userName pr or active gt true`, `members[shoeSize pr]`} {
			Expect(t.do(400, "POST", "/.search", fmt.Sprintf(`{"filter":%q}`, filter)).json).To(HaveKeyWithValue("scimType", "invalidFilter"))
		}
	})

	Describe("with cursors (RFC 9865)", func() {
		pages := func(query string, between func(seen []string)) []string {
			GinkgoHelper()
			var seen []string
			cursor := ""
			for range 100 {
				a := list("?cursor=" + url.QueryEscape(cursor) + "&" + query)
				seen = append(seen, a.ids()...)
				Expect(a.json).NotTo(HaveKey("startIndex"))
				next, more := a.json["nextCursor"].(string)
				if !more {
					return seen
				}
				cursor = next
				between(seen)
			}
			Fail("there is no last page")
			return nil
		}
		It("show everybody once, while people are deleted behind it", func() {
			page := 0
			seen := pages("count=5", func(seen []string) {
				t.do(204, "DELETE", "/Users/"+seen[page], "")
				page++
			})
			Expect(seen).To(ConsistOf(users))
		})
		It("go with a filter", func() {
			filter := "filter=" + url.QueryEscape(`userName co "user1"`)
			Expect(pages("count=3&"+filter, func([]string) {})).To(ConsistOf(users[10:20]))
		})
		It("end with the last element, without an empty page", func() {
			a := list("?cursor&count=25")
			Expect(a.ids()).To(HaveLen(25))
			Expect(a.json).NotTo(HaveKey("nextCursor"))
		})
		It("belong to one organization and one filter", Label("security"), func(ctx SpecContext) {
			cursor := url.QueryEscape(list("?cursor&count=5").json["nextCursor"].(string))
			Expect(newTenant(ctx).do(400, "GET", "/Users?cursor="+cursor, "").json).To(HaveKeyWithValue("scimType", "invalidCursor"))
			Expect(t.do(400, "GET", filtered("/Users", "userName pr")+"&cursor="+cursor, "").json).To(HaveKeyWithValue("scimType", "invalidCursor"))
			t.do(200, "GET", "/Users?cursor="+cursor, "")
			Expect(t.do(400, "GET", "/Groups?cursor="+cursor, "").json).To(HaveKeyWithValue("scimType", "invalidCursor"))
			Expect(t.do(400, "POST", "/.search", fmt.Sprintf(`{"cursor":%q}`, cursor)).json).To(HaveKeyWithValue("scimType", "invalidCursor"))
			Expect(list("?Cursor=" + cursor).ids()).To(Equal(list("?cursor=" + cursor).ids()))
			Expect(t.do(200, "POST", "/Users/.search", `{"cursor":null,"count":5}`).json).To(HaveKey("startIndex"))
		})
	})

	Describe(".search", func() {
		It("is a list by POST (RFC 7644, section 3.4.3)", func() {
			a := t.do(200, "POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName eq \"user03@example.com\"","attributes":["displayName"],"startIndex":1,"count":10}`)
			Expect(a.ids()).To(Equal(users[3:4]))
			Expect(a.json["Resources"].([]any)[0]).NotTo(HaveKey("userName"))
			Expect(a.json["Resources"].([]any)[0]).To(HaveKey("displayName"))
		})
		It("at the root finds users and groups", func() {
			group := t.group("User 03")
			body := `{"filter":"displayName eq \"User 03\""}`
			Expect(t.do(200, "POST", "/.search", body).ids()).To(Equal([]string{users[3], group}))
			a := t.do(200, "POST", "/.search", `{"startIndex":25,"count":2}`)
			Expect(a.ids()).To(HaveLen(2))
			Expect(a.ids()[1]).To(Equal(group))
			Expect(a.json).To(HaveKeyWithValue("totalResults", BeNumerically("==", 26)))
			Expect(t.do(200, "POST", "/.search", `{"filter":"members pr"}`).ids()).To(BeEmpty())
			t.do(400, "POST", "/.search", `{"filter":"shoeSize pr"}`)
		})
		It("pages by cursor over both", func() {
			group := t.group("G")
			first := t.do(200, "POST", "/.search", `{"cursor":"","count":25}`)
			Expect(first.ids()).To(HaveLen(25))
			second := t.do(200, "POST", "/.search", fmt.Sprintf(`{"cursor":%q,"count":25}`, first.json["nextCursor"]))
			Expect(second.ids()).To(Equal([]string{group}))
		})
	})

	Describe("projection (RFC 7644, section 3.9)", func() {
		path := func() string { return "/Users/" + users[0] }
		DescribeTable("renders what is asked for", func(query string, has, hasNot []string) {
			a := t.do(200, "GET", path()+query, "")
			for _, key := range has {
				Expect(a.json).To(HaveKey(key))
			}
			for _, key := range hasNot {
				Expect(a.json).NotTo(HaveKey(key))
			}
			Expect(a.json).To(HaveKey("id"))
			Expect(a.json).To(HaveKey("schemas"))
		},
			Entry("attributes", "?attributes=userName,name.givenName", []string{"userName", "name"}, []string{"active", "meta", "emails"}),
			Entry("attributes by URN", "?attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName", []string{"userName"}, []string{"active"}),
			Entry("attributes nobody knows", "?attributes=shoeSize", nil, []string{"userName", "active"}),
			Entry("excludedAttributes", "?excludedAttributes=emails,name.givenName", []string{"userName", "name"}, []string{"emails"}),
			Entry("what is always returned stays", "?excludedAttributes=id,schemas", nil, nil),
			Entry("in any case", "?ATTRIBUTES=USERNAME", []string{"userName"}, []string{"active"}),
		)
		It("goes into sub-attributes", func() {
			a := t.do(200, "GET", path()+"?attributes=name.givenName,emails.value", "")
			Expect(a.json["name"]).To(Equal(map[string]any{"givenName": "Ada"}))
			Expect(a.json["emails"]).To(Equal([]any{map[string]any{"value": "user00@example.com"}}))
		})
		It("works on POST, PUT and PATCH", func() {
			Expect(t.do(201, "POST", "/Users?attributes=userName", userBody("new@example.com")).json).NotTo(HaveKey("name"))
			Expect(t.do(200, "PUT", path()+"?attributes=userName", userBody("user00@example.com")).json).NotTo(HaveKey("name"))
			Expect(t.do(200, "PATCH", path()+"?excludedAttributes=name", deactivate).json).NotTo(HaveKey("name"))
		})
	})
})
