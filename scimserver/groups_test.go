// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver"
)

const groupRoles = `"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group":{"LambdatestRoles":["Admin"]}`

func patchMembers(verb string, ids ...string) string {
	return fmt.Sprintf(`{"Operations":[{"op":%q,"path":"members","value":%s}]}`, verb, memberList(ids...))
}

var _ = Describe("Groups", func() {
	var t *tenant
	var ada, grace string
	BeforeEach(func(ctx SpecContext) {
		t = newTenant(ctx)
		ada, grace = t.user("ada@example.com"), t.user("grace@example.com")
	})
	members := func(ctx SpecContext, group string) []string { return t.storedGroup(ctx, group).Spec.Members }
	shown := func(r *replica, group string) []any {
		GinkgoHelper()
		a := t.ask(r, "GET", "/Groups/"+group, "")
		Expect(a.status).To(Equal(200), a.text)
		list, _ := a.json["members"].([]any)
		return list
	}

	It("are resources with userNames as members", func(ctx SpecContext) {
		a := t.do(201, "POST", "/Groups", fmt.Sprintf(`{"displayName":"Engineers","externalId":"g1","members":%s,%s}`, memberList(ada), groupRoles))

		group := t.storedGroup(ctx, a.json["id"].(string))
		Expect(group.Name).To(Equal(v1alpha1.SCIMGroupName("acme", "Engineers", 0)))
		Expect(group.Labels).To(HaveKeyWithValue(v1alpha1.SourceLabel, v1alpha1.SourceSCIM))
		Expect(group.Finalizers).To(ConsistOf(v1alpha1.Finalizer))
		Expect(group.Spec.Members).To(ConsistOf("ada@example.com"))
		Expect(group.Spec.Roles).To(ConsistOf(v1alpha1.RoleAdmin))
		Expect(group.Spec.ExternalID).To(Equal("g1"))
		Expect(a.json["members"]).To(ConsistOf(HaveKeyWithValue("display", "ada@example.com")))
	})
	It("write nothing when a PUT is what GET gave", func(ctx SpecContext) {
		id := t.do(201, "POST", "/Groups", fmt.Sprintf(`{"displayName":"Engineers","members":%s,%s}`, memberList(ada, grace), groupRoles)).json["id"].(string)
		before := t.storedGroup(ctx, id).ResourceVersion
		t.do(200, "PUT", "/Groups/"+id, t.do(200, "GET", "/Groups/"+id, "").text)
		t.do(200, "PUT", "/Groups/"+id, fmt.Sprintf(`{"displayName":"Engineers","members":%s}`, memberList(grace, ada)))
		Expect(t.storedGroup(ctx, id).ResourceVersion).To(Equal(before))
	})
	It("keep their members in a PUT without members, and lose them by [] and by null", func(ctx SpecContext) {
		id := t.group("Engineers", ada)
		t.do(200, "PUT", "/Groups/"+id, `{"displayName":"Engineers"}`)
		Expect(members(ctx, id)).To(HaveLen(1))
		t.do(200, "PUT", "/Groups/"+id, `{"displayName":"Engineers","members":null}`)
		Expect(members(ctx, id)).To(BeEmpty())
		t.do(204, "PATCH", "/Groups/"+id, patchMembers("add", ada))
		t.do(200, "PUT", "/Groups/"+id, `{"displayName":"Engineers","members":[]}`)
		Expect(members(ctx, id)).To(BeEmpty())
	})
	It("keep displayName, externalId and roles in a PUT without them", func(ctx SpecContext) {
		id := t.do(201, "POST", "/Groups", fmt.Sprintf(`{"displayName":"Engineers","externalId":"g1","members":%s,%s}`, memberList(ada), groupRoles)).json["id"].(string)
		t.do(200, "PUT", "/Groups/"+id, fmt.Sprintf(`{"members":%s}`, memberList(grace)))
		spec := t.storedGroup(ctx, id).Spec
		Expect(spec.DisplayName).To(Equal("Engineers"))
		Expect(spec.ExternalID).To(Equal("g1"))
		Expect(spec.Roles).To(ConsistOf(v1alpha1.RoleAdmin))
		Expect(spec.Members).To(ConsistOf("grace@example.com"))
	})
	It("are not written by a PATCH without operations: 204, and 200 for a user", func(ctx SpecContext) {
		id := t.group("Engineers", ada)
		before, person := t.storedGroup(ctx, id).ResourceVersion, t.stored(ctx, ada).ResourceVersion
		t.do(204, "PATCH", "/Groups/"+id, `{"Operations":[]}`)
		t.do(200, "PATCH", "/Users/"+ada, `{"Operations":[]}`)
		Expect(t.storedGroup(ctx, id).ResourceVersion).To(Equal(before))
		Expect(t.stored(ctx, ada).ResourceVersion).To(Equal(person))
	})
	It("answer a PATCH with 204, and with the group when attributes are asked for", func() {
		id := t.group("Engineers")
		a := t.do(204, "PATCH", "/Groups/"+id, patchMembers("add", ada))
		Expect(a.header.Get("ETag")).NotTo(BeEmpty())
		a = t.do(200, "PATCH", "/Groups/"+id+"?attributes=displayName", patchMembers("add", grace))
		Expect(a.json).To(HaveKeyWithValue("displayName", "Engineers"))
		Expect(a.json).NotTo(HaveKey("members"))
	})

	It("deleted by two at once are deleted by one of them: 204 and 404", func() {
		for i := range 10 {
			id := t.group(fmt.Sprintf("Group %d", i))
			statuses := make(chan int, 8)
			for i := range cap(statuses) {
				go func() {
					defer GinkgoRecover()
					statuses <- t.ask(replicas[i%2], "DELETE", "/Groups/"+id, "").status
				}()
			}
			count := map[int]int{}
			for range cap(statuses) {
				count[<-statuses]++
			}
			Expect(count).To(Equal(map[int]int{204: 1, 404: cap(statuses) - 1}))
		}
	})
	It("deleted at another replica can be created again at one that has not seen it yet", func() {
		late := startReplica(scimserver.Options{}, func(o *cache.Options) {
			asBefore := func(object any) (any, error) {
				object.(*v1alpha1.LambdaTestGroup).DeletionTimestamp = nil
				return object, nil
			}
			o.ByObject = map[client.Object]cache.ByObject{&v1alpha1.LambdaTestGroup{}: {Transform: asBefore}}
		})
		DeferCleanup(func() { late.stop(); Eventually(late.done).Should(Receive(BeNil())) })
		Eventually(func() int { return t.ask(late, "GET", "/Groups", "").status }).Should(Equal(200))
		id := t.group("Engineers")
		Eventually(func() []string { return t.ask(late, "GET", "/Groups", "").ids() }).Should(ConsistOf(id))

		t.do(204, "DELETE", "/Groups/"+id, "")

		Expect(t.ask(late, "POST", "/Groups", `{"displayName":"Engineers"}`).status).To(Equal(201))
	})
	Describe("members", func() {
		It("must be people SCIM knows when they are added: 400 that names the id, and nothing written", func(ctx SpecContext) {
			id := t.group("Engineers")
			for _, unknown := range []string{"nobody", "scim-aaaaaaaaaaaaaaaaaaaaaaaaaa", newTenant(ctx).user("other@example.com")} {
				a := t.do(400, "PATCH", "/Groups/"+id, patchMembers("add", ada, unknown))
				Expect(a.json).To(HaveKeyWithValue("scimType", "invalidValue"))
				Expect(a.json["detail"]).To(ContainSubstring(unknown))
				Expect(members(ctx, id)).To(BeEmpty())
			}
		})
		It("of Git may be anybody", func(ctx SpecContext) {
			id := t.group("Engineers", ada)
			group := t.storedGroup(ctx, id)
			group.Spec.Members = append(group.Spec.Members, "nobody@example.com")
			Expect(k8s.Update(ctx, group)).To(Succeed())
			Expect(shown(replicas[1], id)).To(HaveLen(1))
			t.do(204, "PATCH", "/Groups/"+id, patchMembers("add", grace))
			Expect(members(ctx, id)).To(ConsistOf("ada@example.com", "nobody@example.com", "grace@example.com"))
		})
		It("who were deleted are not shown, do not fail an echo of the old list, and stay", func(ctx SpecContext) {
			id := t.group("Engineers", ada, grace)
			echo := t.do(200, "GET", "/Groups/"+id, "").text
			t.do(204, "DELETE", "/Users/"+ada, "")
			Expect(shown(replicas[0], id)).To(ConsistOf(HaveKeyWithValue("value", grace)))
			t.do(200, "PUT", "/Groups/"+id, echo)
			t.do(200, "PUT", "/Groups/"+id, fmt.Sprintf(`{"displayName":"Engineers","members":%s}`, memberList(grace)))
			t.do(204, "PATCH", "/Groups/"+id, patchMembers("replace", grace))
			Expect(members(ctx, id)).To(ConsistOf("ada@example.com", "grace@example.com"))
		})
		It("who were deleted leave when they are removed by id", func(ctx SpecContext) {
			id := t.group("Engineers", ada, grace)
			t.do(204, "DELETE", "/Users/"+ada, "")
			t.do(204, "PATCH", "/Groups/"+id, fmt.Sprintf(`{"Operations":[{"op":"remove","path":"members[value eq %s]"}]}`, strings.ReplaceAll(fmt.Sprintf("%q", ada), `"`, `\"`)))
			Expect(members(ctx, id)).To(ConsistOf("grace@example.com"))
		})
		DescribeTable("that nobody can be told by are refused, and nobody leaves", func(ctx SpecContext, value string) {
			id := t.group("Engineers", ada, grace)
			for method, body := range map[string]string{
				"PUT":   `{"displayName":"Others","members":` + value + `}`,
				"PATCH": `{"Operations":[{"op":"Replace","path":"displayName","value":"Others"},{"op":"Replace","path":"members","value":` + value + `}]}`,
			} {
				a := t.do(400, method, "/Groups/"+id, body)
				Expect(a.json).To(HaveKeyWithValue("scimType", "invalidValue"))
				Expect(a.json["detail"]).To(HavePrefix("members"))
			}
			t.do(400, "POST", "/Groups", `{"displayName":"Others","members":`+value+`}`)
			Expect(members(ctx, id)).To(HaveLen(2))
			Expect(t.storedGroup(ctx, id).Spec.DisplayName).To(Equal("Engineers"))
		},
			Entry("an object without a value", `{}`), Entry("in a list", `[{}]`), Entry("an empty text", `""`), Entry("in a list", `[""]`), Entry("null in a list", `[null]`),
			Entry("display alone", `[{"display":"ada@example.com"}]`), Entry("$ref alone", `[{"$ref":"https://scim.example.com/scim/v2/Users/x"}]`),
			Entry("the value null", `[{"value":null}]`))
		It("stay when the value of a PATCH is missing", func(ctx SpecContext) {
			id := t.group("Engineers", ada, grace)
			for _, verb := range []string{"add", "replace"} {
				t.do(400, "PATCH", "/Groups/"+id, `{"Operations":[{"op":"`+verb+`","path":"members"}]}`)
			}
			Expect(members(ctx, id)).To(HaveLen(2))
			t.do(204, "PATCH", "/Groups/"+id, `{"Operations":[{"op":"remove","path":"members"}]}`)
			Expect(members(ctx, id)).To(BeEmpty())
		})
		It("have the absolute URI of the user", func() {
			id := t.group("Engineers", ada)
			Expect(shown(replicas[0], id)).To(ConsistOf(HaveKeyWithValue("$ref", replicas[0].url+"/Users/"+ada)))
		})
		It("unknown ids are removed with 204", func() {
			id := t.group("Engineers", ada)
			t.do(204, "PATCH", "/Groups/"+id, patchMembers("Remove", "nobody"))
			t.do(204, "PATCH", "/Groups/"+id, `{"Operations":[{"op":"remove","path":"members[value eq \"nobody\"]"}]}`)
		})
		It("are seen on another replica at once, also when the user is new there", func() {
			for i := range 10 {
				user := t.user(fmt.Sprintf("new%d@example.com", i))
				group := t.group(fmt.Sprintf("Group %d", i), user)
				Expect(shown(replicas[1], group)).To(ConsistOf(HaveKeyWithValue("value", user)))
			}
		})
		// startBlind starts a replica whose index knows no user.
		startBlind := func(options scimserver.Options) *replica {
			GinkgoHelper()
			blind := startReplica(options, func(o *cache.Options) {
				nobody := labels.SelectorFromSet(labels.Set{"no": "body"})
				o.ByObject = map[client.Object]cache.ByObject{&v1alpha1.LambdaTestUser{}: {Label: nobody}}
			})
			DeferCleanup(func() { blind.stop(); Eventually(blind.done).Should(Receive(BeNil())) })
			Eventually(func() int { return t.ask(blind, "GET", "/Groups", "").status }).Should(Equal(200))
			return blind
		}
		people := func(count int) (ids []string) {
			GinkgoHelper()
			for i := range count {
				ids = append(ids, t.user(fmt.Sprintf("person%d@example.com", i)))
			}
			return ids
		}
		It("are all shown by a replica whose index knows none of them, and its answer can be sent back", func(ctx SpecContext) {
			api := &unreachable{Client: k8s}
			blind := startBlind(optionsWith(api))
			id := t.group("Engineers", people(70)...)
			Eventually(func() []string { return t.ask(blind, "GET", "/Groups", "").ids() }).Should(ConsistOf(id))
			t.do(204, "DELETE", "/Users/"+t.user("gone@example.com"), "")
			api.reads()
			echo := t.ask(blind, "GET", "/Groups/"+id, "")
			Expect(echo.json["members"]).To(HaveLen(70))
			Expect(len(api.reads())).To(BeNumerically("<", 5), "they are looked up together")
			list := t.ask(blind, "GET", "/Groups", "")
			Expect(list.json["Resources"]).To(ConsistOf(HaveKeyWithValue("members", HaveLen(70))))
			for _, r := range []*replica{blind, replicas[0]} {
				Expect(t.ask(r, "PUT", "/Groups/"+id, echo.text).status).To(Equal(200))
				Expect(members(ctx, id)).To(HaveLen(70))
			}
		})
		It("are never taken for absent when they cannot be looked up: 503, and nothing changes", func(ctx SpecContext) {
			api := &unreachable{Client: k8s, only: ada}
			blind := startBlind(optionsWith(api))
			few, many := t.group("Few", ada, grace), t.group("Many", append(people(30), ada)...)
			Eventually(func() []string { return t.ask(blind, "GET", "/Groups", "").ids() }).Should(ConsistOf(few, many))
			api.away.Store(true)
			for _, id := range []string{few, many} {
				before := members(ctx, id)
				for _, a := range []answered{
					t.ask(blind, "GET", "/Groups/"+id, ""),
					t.ask(blind, "GET", "/Groups", ""),
					t.ask(blind, "GET", filtered("/Groups", fmt.Sprintf("members.value eq %q", ada)), ""),
					t.ask(blind, "PUT", "/Groups/"+id, fmt.Sprintf(`{"displayName":"New","members":%s}`, memberList(grace))),
					t.ask(blind, "PATCH", "/Groups/"+id, patchMembers("replace", grace)),
				} {
					Expect(a.status).To(Equal(503), a.text)
				}
				Expect(t.ask(blind, "GET", "/Groups/"+id+"?excludedAttributes=members", "").status).To(Equal(200))
				Expect(members(ctx, id)).To(Equal(before))
			}
		})
		It("who were deleted cost one look-up, however many they are", func() {
			api := &unreachable{Client: k8s}
			r := startReplica(optionsWith(api))
			DeferCleanup(func() { r.stop(); Eventually(r.done).Should(Receive(BeNil())) })
			Eventually(func() int { return t.ask(r, "GET", "/Groups", "").status }).Should(Equal(200))
			deleted := people(20)
			id := t.group("Engineers", append(deleted, ada)...)
			for _, user := range deleted {
				t.do(204, "DELETE", "/Users/"+user, "")
			}
			Eventually(func() any { return t.ask(r, "GET", "/Groups/"+id, "").json["members"] }).Should(HaveLen(1))
			api.reads()
			Expect(t.ask(r, "PUT", "/Groups/"+id, `{"displayName":"Engineers","members":[]}`).status).To(Equal(200))
			Expect(api.reads()).To(ConsistOf(id, "list"))
		})
		It("are covered by the version: If-None-Match hides no change of membership", func() {
			id := t.group("Engineers", ada, grace)
			path := "/Groups/" + id
			version := func() string { GinkgoHelper(); return t.do(200, "GET", path, "").header.Get("ETag") }
			before := version()
			t.do(304, "GET", path, "", "If-None-Match: "+before)
			t.do(204, "DELETE", "/Users/"+ada, "")
			Expect(t.do(200, "GET", path, "", "If-None-Match: "+before).json["members"]).To(HaveLen(1))
			t.do(304, "GET", path, "", "If-None-Match: "+version())
			t.do(204, "PATCH", path, patchMembers("add", grace), "If-Match: "+version())

			user := "/Users/" + grace
			seen := t.do(200, "GET", user, "").header.Get("ETag")
			t.do(304, "GET", user, "", "If-None-Match: "+seen)
			t.do(204, "DELETE", path, "")
			Expect(t.do(200, "GET", user, "", "If-None-Match: "+seen).json).NotTo(HaveKey("groups"))
			t.do(200, "PATCH", user, `{"Operations":[{"op":"replace","path":"displayName","value":"G"}]}`, "If-Match: "+seen)
		})
		It("are seen by a replica whose index knows nobody yet", func() {
			blind := startBlind(scimserver.Options{})
			id := t.group("Engineers", ada)
			Expect(shown(blind, id)).To(HaveLen(1))
			Expect(t.ask(blind, "PATCH", "/Groups/"+id, patchMembers("add", grace)).status).To(Equal(204))
			Expect(shown(blind, id)).To(HaveLen(2))
			replaced := t.ask(blind, "PUT", "/Groups/"+id, fmt.Sprintf(`{"displayName":"Engineers","members":%s}`, memberList(grace)))
			Expect(replaced.status).To(Equal(200))
			Expect(shown(blind, id)).To(ConsistOf(HaveKeyWithValue("value", grace)), "whoever the index does not know is replaced like others")
		})
		It("changed in parallel over two replicas lose nothing", func(ctx SpecContext) {
			id := t.group("Engineers")
			var users []string
			for i := range 40 {
				users = append(users, t.user(fmt.Sprintf("user%d@example.com", i)))
			}
			statuses := race(40, func(i int) int {
				return t.ask(replicas[i%2], "PATCH", "/Groups/"+id, patchMembers("add", users[i])).status
			})
			Expect(statuses).To(HaveEach(204))
			Expect(members(ctx, id)).To(HaveLen(40))
			statuses = race(20, func(i int) int {
				return t.ask(replicas[i%2], "PATCH", "/Groups/"+id, patchMembers("remove", users[i])).status
			})
			Expect(statuses).To(HaveEach(204))
			Expect(members(ctx, id)).To(HaveLen(20))
		})
		It("in one batch fail alone", func(ctx SpecContext) {
			id := t.group("Engineers")
			statuses := race(20, func(i int) int {
				member := ada
				if i%2 == 1 {
					member = "nobody"
				}
				return t.ask(replicas[0], "PATCH", "/Groups/"+id, patchMembers("add", member)).status
			})
			Expect(statuses).To(HaveEach(BeElementOf(204, 400)))
			Expect(members(ctx, id)).To(ConsistOf("ada@example.com"))
		})
		It("may be 10 000", func(ctx SpecContext) {
			names := make([]string, 10_000)
			for i := range names {
				names[i] = fmt.Sprintf("member-%05d.%s@example.com", i, strings.Repeat("x", 30))
			}
			id := t.group("Everybody")
			group := t.storedGroup(ctx, id)
			group.Spec.Members = names
			Expect(k8s.Update(ctx, group)).To(Succeed())
			t.do(204, "PATCH", "/Groups/"+id, patchMembers("add", ada))
			Expect(members(ctx, id)).To(HaveLen(10_001))
			t.do(204, "PATCH", "/Groups/"+id, patchMembers("remove", ada))
			Expect(members(ctx, id)).To(HaveLen(10_000))
		})
		It("show up in the user's groups, read-only", func() {
			id := t.group("Engineers", ada)
			for _, r := range replicas {
				Eventually(func() any { return t.ask(r, "GET", "/Users/"+ada, "").json["groups"] }).
					Should(ConsistOf(And(HaveKeyWithValue("value", id), HaveKeyWithValue("display", "Engineers"))))
			}
			t.do(200, "PATCH", "/Users/"+ada, `{"Operations":[{"op":"replace","path":"groups","value":[]}]}`)
			Expect(shown(replicas[0], id)).To(HaveLen(1))
		})
	})

	Describe("names", func() {
		It("are unique without regard to case", func() {
			t.group("Engineers")
			Expect(t.do(409, "POST", "/Groups", `{"displayName":"ENGINEERS"}`).json).To(HaveKeyWithValue("scimType", "uniqueness"))
			other := t.group("Others")
			t.do(409, "PATCH", "/Groups/"+other, `{"Operations":[{"op":"replace","value":{"displayName":"engineers"}}]}`)
		})
		It("may change, and the old one is free then", func(ctx SpecContext) {
			first := t.group("Engineers", ada)
			t.do(204, "PATCH", "/Groups/"+first, `{"Operations":[{"op":"replace","value":{"id":"`+first+`","displayName":"Makers"}}]}`)
			second := t.group("Engineers")
			Expect(second).NotTo(Equal(first))
			Expect(second).To(Equal(v1alpha1.SCIMGroupName("acme", "Engineers", 1)))
			t.do(409, "POST", "/Groups", `{"displayName":"Makers"}`)
			t.do(409, "POST", "/Groups", `{"displayName":"Engineers"}`)
			Expect(members(ctx, first)).To(ConsistOf("ada@example.com"))
		})
		It("taken by a rename are taken at a replica that has not seen it, and so are those of new groups", func(ctx SpecContext) {
			blind := startReplica(scimserver.Options{}, func(o *cache.Options) {
				none := labels.SelectorFromSet(labels.Set{"no": "group"})
				o.ByObject = map[client.Object]cache.ByObject{&v1alpha1.LambdaTestGroup{}: {Label: none}}
			})
			DeferCleanup(func() { blind.stop(); Eventually(blind.done).Should(Receive(BeNil())) })
			Eventually(func() int { return t.ask(blind, "GET", "/Groups", "").status }).Should(Equal(200))
			first, second := t.group("First"), t.group("Second")
			rename := `{"Operations":[{"op":"replace","path":"displayName","value":"Makers"}]}`
			t.do(204, "PATCH", "/Groups/"+first, rename)

			a := t.ask(blind, "POST", "/Groups", `{"displayName":"MAKERS"}`)
			Expect(a.status).To(Equal(409), a.text)
			Expect(t.ask(blind, "PATCH", "/Groups/"+second, rename).status).To(Equal(409))
			Expect(t.ask(blind, "PATCH", "/Groups/"+first, rename).status).To(Equal(204), "it is its own name")
			Expect(t.ask(blind, "POST", "/Groups", `{"displayName":"First"}`).status).To(Equal(201), "the old name is free")
		})
		It("are free at once after DELETE", func(ctx SpecContext) {
			first := t.group("Engineers")
			t.do(204, "DELETE", "/Groups/"+first, "")
			for _, r := range replicas {
				Expect(t.ask(r, "GET", "/Groups/"+first, "").status).To(Equal(404))
			}
			t.do(404, "DELETE", "/Groups/"+first, "")
			Expect(t.do(200, "GET", filtered("/Groups", `displayName eq "Engineers"`), "").ids()).To(BeEmpty())
			second := t.group("Engineers")
			Expect(second).NotTo(Equal(first))
			Expect(t.storedGroup(ctx, first).DeletionTimestamp).NotTo(BeNil(), "the controllers have to tell LambdaTest first")
		})
		It("give one of two racing requests 201 and the other 409, also after a deletion", func() {
			for i := range 10 {
				body := fmt.Sprintf(`{"displayName":"Race %d"}`, i/2)
				statuses := race(2, func(i int) int { return t.ask(replicas[i], "POST", "/Groups", body).status })
				Expect(statuses).To(ConsistOf(201, 409))
				named := func() []string {
					return t.ask(replicas[0], "GET", filtered("/Groups", fmt.Sprintf(`displayName eq "Race %d"`, i/2)), "").ids()
				}
				Eventually(named).Should(HaveLen(1))
				t.do(204, "DELETE", "/Groups/"+named()[0], "")
				Eventually(func() []string {
					return t.ask(replicas[1], "GET", filtered("/Groups", fmt.Sprintf(`displayName eq "Race %d"`, i/2)), "").ids()
				}).Should(BeEmpty())
			}
		})
		DescribeTable("that cannot be are refused", func(name string) {
			Expect(t.do(400, "POST", "/Groups", fmt.Sprintf(`{"displayName":%q}`, name)).json["detail"]).To(ContainSubstring("displayName"))
		},
			Entry("none", ""), Entry("white space around it", " x"), Entry("a control character", "a\tb"), Entry("too long", strings.Repeat("x", 257)))
	})

	It("refuse roles above maxRole, unless they are there already", func(ctx SpecContext) {
		id := t.do(201, "POST", "/Groups", `{"displayName":"Admins",`+groupRoles+`}`).json["id"].(string)
		organization := t.organization.DeepCopy()
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(organization), organization)).To(Succeed())
		organization.Spec.SCIM.MaxRole = v1alpha1.RoleGuest
		Expect(k8s.Update(ctx, organization)).To(Succeed())
		Eventually(func() int {
			return t.ask(replicas[0], "POST", "/Groups", `{"displayName":"More",`+groupRoles+`}`).status
		}).Should(Or(Equal(400), Equal(409)))
		t.do(200, "PUT", "/Groups/"+id, t.do(200, "GET", "/Groups/"+id, "").text)
	})
	It("refuse a stale version, also in a batch", func() {
		a := t.do(201, "POST", "/Groups", `{"displayName":"Engineers"}`)
		path, etag := "/Groups/"+a.json["id"].(string), "If-Match: "+a.header.Get("ETag")
		statuses := race(4, func(i int) int {
			return t.ask(replicas[i%2], "PATCH", path, fmt.Sprintf(`{"Operations":[{"op":"replace","path":"externalId","value":"%d"}]}`, i), etag).status
		})
		Expect(statuses).To(ContainElement(204))
		Expect(statuses).To(ContainElements(412, 412, 412))
		t.do(412, "DELETE", path, "", etag)
	})
	It("too large for the API server are 413, and nothing is lost", func(ctx SpecContext) {
		names := make([]string, 12_000)
		for i := range names {
			names[i] = fmt.Sprintf("%06d%s@example.com", i, strings.Repeat("x", 230))
		}
		id := t.group("Everybody", ada)
		group := t.storedGroup(ctx, id)
		for n := len(names); ; n -= 500 { // as large as goes in
			group.Spec.Members = names[:n]
			if err := k8s.Update(ctx, group); err == nil {
				break
			}
		}
		before := len(t.storedGroup(ctx, id).Spec.Members)
		var added []string
		for i := range 20 {
			added = append(added, t.user(fmt.Sprintf("%s%d@example.com", strings.Repeat("y", 200), i)))
		}
		status := 204
		for n := 0; status == 204 && n < 200; n++ {
			for i := range 20 {
				added = append(added, t.user(fmt.Sprintf("%s%d.%d@example.com", strings.Repeat("y", 200), n, i)))
			}
			status = t.ask(replicas[0], "PATCH", "/Groups/"+id, patchMembers("add", added...)).status
		}
		Expect(status).To(Equal(413))
		Expect(len(t.storedGroup(ctx, id).Spec.Members)).To(BeNumerically(">=", before))
	})
})
