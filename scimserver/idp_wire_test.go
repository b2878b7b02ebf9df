// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"fmt"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Each row of what is known of identity providers, under its own name. The rows of one provider are the transcripts in testdata/idp.

func patchOf(operations ...string) string {
	return `{"Operations":[` + strings.Join(operations, ",") + `]}`
}

var _ = Describe("Tolerated", func() {
	var t *tenant
	var id string
	BeforeEach(func(ctx SpecContext) {
		t = newTenant(ctx)
		id = t.user("ada@example.com", `"displayName":"Ada"`)
	})
	patched := func(key string, want any, operations ...string) {
		GinkgoHelper()
		Expect(t.do(200, "PATCH", "/Users/"+id, patchOf(operations...)).json).To(HaveKeyWithValue(key, want))
	}
	unchanged := func(ctx SpecContext, act func()) {
		GinkgoHelper()
		before := t.stored(ctx, id).ResourceVersion
		act()
		Expect(t.stored(ctx, id).ResourceVersion).To(Equal(before), "a write where nothing changed")
	}

	It("op and path in any case", func() { patched("displayName", "X", `{"op":"RePlAcE","path":"DisplayNAME","value":"X"}`) })
	It("path-less values with dotted or URN keys", func() {
		patched("name", map[string]any{"givenName": "X", "familyName": "Y"},
			`{"op":"Add","value":{"name.givenName":"X","urn:ietf:params:scim:schemas:core:2.0:User:name.familyName":"Y"}}`)
	})
	It("read-only id, meta, schemas, groups ignored, not refused", func(ctx SpecContext) {
		unchanged(ctx, func() {
			t.do(200, "PATCH", "/Users/"+id, patchOf(`{"op":"replace","value":{"id":"x","meta":{"version":"y"},"schemas":["z"],"groups":[{"value":"g"}],"roles":[{"value":"Admin"}]}}`))
			t.do(200, "PATCH", "/Users/"+id, patchOf(`{"op":"replace","path":"meta.version","value":"x"}`))
		})
	})
	It(`"True" and "false" as booleans`, func() {
		patched("active", false, `{"op":"replace","path":"active","value":"false"}`)
		patched("active", true, `{"op":"replace","path":"active","value":"True"}`)
	})
	It("Remove members with a value array, members[value eq], replace members []", func(ctx SpecContext) {
		group := t.group("G", id)
		for _, operation := range []string{
			`{"op":"Remove","path":"members","value":[{"value":"` + id + `"}]}`,
			`{"op":"remove","path":"members[value eq \"` + id + `\"]"}`,
			`{"op":"replace","path":"members","value":[]}`,
		} {
			t.do(204, "PATCH", "/Groups/"+group, patchMembers("add", id))
			t.do(204, "PATCH", "/Groups/"+group, patchOf(operation))
			Expect(t.storedGroup(ctx, group).Spec.Members).To(BeEmpty(), operation)
		}
	})
	It("missing PatchOp schemas", func() { patched("displayName", "X", `{"op":"replace","path":"displayName","value":"X"}`) })
	It("a well-formed path to an attribute that is not stored; malformed is 400 invalidPath", func(ctx SpecContext) {
		unchanged(ctx, func() {
			for _, path := range []string{`phoneNumbers[type eq \"mobile\"].value`, "title", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "shoeSize", "addresses[type eq \\\"work\\\"].locality"} {
				t.do(200, "PATCH", "/Users/"+id, patchOf(`{"op":"Add","path":"`+path+`","value":"x"}`))
			}
		})
		for _, path := range []string{`phoneNumbers[type eq \"mobile\"`, "title..x", "1title", "emails[].value", "a b"} {
			a := t.do(400, "PATCH", "/Users/"+id, patchOf(`{"op":"Add","path":"`+path+`","value":"x"}`))
			Expect(a.json).To(HaveKeyWithValue("scimType", "invalidPath"), path)
		}
	})
	It("missing member type, $ref: null", func(ctx SpecContext) {
		group := t.group("G")
		t.do(204, "PATCH", "/Groups/"+group, patchOf(`{"op":"Add","path":"members","value":[{"$ref":null,"value":"`+id+`"}]}`))
		Expect(t.storedGroup(ctx, group).Spec.Members).To(HaveLen(1))
	})
	It(`null and "" as unassigned`, func() {
		for _, value := range []string{"null", `""`} {
			t.do(200, "PATCH", "/Users/"+id, patchOf(`{"op":"replace","path":"displayName","value":"X"}`))
			Expect(t.do(200, "PATCH", "/Users/"+id, patchOf(`{"op":"replace","path":"displayName","value":`+value+`}`)).json).NotTo(HaveKey("displayName"))
		}
		a := t.do(200, "PUT", "/Users/"+id, `{"userName":"ada@example.com","active":null,"name":null,"externalId":"","emails":null}`)
		Expect(a.json).To(HaveKeyWithValue("active", true))
		Expect(a.json).To(HaveKey("name"))
	})
	It("unknown attributes and extension URNs", func() {
		t.do(201, "POST", "/Users", userBody("b@example.com", `"shoeSize":38,"urn:acme:1.0:User":{"a":[1]},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"D"}`))
	})
	It("a single complex value given as a one-element array", func() {
		a := t.do(201, "POST", "/Users", `{"userName":"b@example.com","name":[{"givenName":"B","familyName":"C"}]}`)
		Expect(a.json["name"]).To(Equal(map[string]any{"givenName": "B", "familyName": "C"}))
	})
	It("application/json in, application/scim+json out, always", func() {
		t.do(201, "POST", "/Users", userBody("b@example.com"), "Content-Type: application/json", "Accept: application/json")
	})
	It("trailing ?, & and /; + and %20", func() {
		for _, path := range []string{
			"/Users?filter=userName+eq+%22ada@example.com%22&", "/Users/?filter=userName%20eq%20%22ada@example.com%22", "/Users/?filter=userName%20eq+%22ada%40example.com%22&&",
		} {
			Expect(t.do(200, "GET", path, "").ids()).To(ConsistOf(id), path)
		}
		t.do(200, "GET", "/Users/"+id+"?", "")
		t.do(200, "GET", "/Users/"+id+"/", "")
	})
	It("password dropped, never stored, never logged", Label("security"), func(ctx SpecContext) {
		secret := "s3cret-" + t.organization.Namespace
		t.do(200, "PUT", "/Users/"+id, userBody("ada@example.com", `"password":"`+secret+`"`))
		t.do(200, "PATCH", "/Users/"+id, patchOf(`{"op":"replace","path":"password","value":"`+secret+`"}`))
		t.do(400, "PUT", "/Users/"+id, `{"password":"`+secret+`",`)
		Expect(fmt.Sprint(t.stored(ctx, id))).NotTo(ContainSubstring(secret))
		Expect(replicas[0].log.with(secret)).To(BeEmpty())
	})
})

var _ = Describe("Never", func() {
	var t *tenant
	var id string
	BeforeEach(func(ctx SpecContext) {
		t = newTenant(ctx)
		id = t.user("ada@example.com")
	})

	It("a filter that is not understood answered with everybody, or with nobody", func() {
		for _, filter := range []string{"shoeSize eq 38", "password eq \"x\"", "userName equals \"x\"", "userName", "(userName pr"} {
			a := t.do(400, "GET", filtered("/Users", filter), "")
			Expect(a.json).To(HaveKeyWithValue("scimType", "invalidFilter"))
		}
		Expect(t.do(200, "GET", filtered("/Users", fmt.Sprintf(`id eq %q and manager eq "y"`, id)), "").ids()).To(BeEmpty())
		Expect(t.do(200, "GET", filtered("/Users", fmt.Sprintf(`id eq %q and not (title pr)`, id)), "").ids()).To(ConsistOf(id))
	})
	It("an unknown member or an unknown value answered with 5xx", func() {
		group := t.group("G")
		a := t.do(400, "PATCH", "/Groups/"+group, patchMembers("add", "missing-id"))
		Expect(a.json).To(HaveKeyWithValue("detail", ContainSubstring("missing-id")))
		a = t.do(400, "PATCH", "/Users/"+id, patchOf(`{"op":"replace","value":{`+role("Emperor")+`}}`))
		Expect(a.json).To(HaveKeyWithValue("detail", ContainSubstring("Emperor")))
		Expect(a.json).To(HaveKeyWithValue("scimType", "invalidValue"))
	})
	It("a concurrent change answered with 409 to the IdP", func() {
		statuses := race(20, func(i int) int {
			return t.ask(replicas[i%2], "PATCH", "/Users/"+id, patchOf(fmt.Sprintf(`{"op":"replace","path":"displayName","value":"%d"}`, i))).status
		})
		Expect(statuses).To(HaveEach(200))
	})
	It("a list that hides inactive users, counts wrongly or changes order between pages", func() {
		t.do(200, "PATCH", "/Users/"+id, deactivate)
		other := t.user("grace@example.com")
		a := t.do(200, "GET", "/Users?count=1", "")
		b := t.do(200, "GET", "/Users?count=1&startIndex=2", "")
		Expect(append(a.ids(), b.ids()...)).To(ConsistOf(id, other))
		for _, page := range []answered{a, b} {
			Expect(page.json).To(HaveKeyWithValue("totalResults", BeNumerically("==", 2)))
			Expect(page.json).To(HaveKeyWithValue("itemsPerPage", BeNumerically("==", 1)))
		}
	})
	It("a PUT or PATCH applied in part", func(ctx SpecContext) {
		before := t.stored(ctx, id).ResourceVersion
		t.do(400, "PUT", "/Users/"+id, userBody("ada@example.com", `"displayName":"X"`, role("Emperor")))
		t.do(400, "PATCH", "/Users/"+id, patchOf(`{"op":"replace","path":"displayName","value":"X"}`, `{"op":"replace","path":"userName","value":"x@example.com"}`))
		Expect(t.stored(ctx, id).ResourceVersion).To(Equal(before))
	})
	It("a value shown that a write of it would not change: also while a group gives the role and Git denies the person", func(ctx SpecContext) {
		t.do(200, "PATCH", "/Users/"+id, patchOf(`{"op":"replace","value":{`+role("Guest")+`}}`))
		t.group("Admins", id)
		user := t.stored(ctx, id)
		user.Status.Effective = &v1alpha1.EffectiveState{Active: false, ActiveFrom: "LambdaTestUser/git", Role: "Admin", RoleFrom: "LambdaTestGroup/admins"}
		user.Status.Account = &v1alpha1.AccountState{Active: false, Role: "Admin"}
		Expect(k8s.Status().Update(ctx, user)).To(Succeed())
		shown := t.do(200, "GET", "/Users/"+id, "")
		Expect(shown.json).To(HaveKeyWithValue("active", true))
		Expect(shown.json["roles"]).To(ConsistOf(HaveKeyWithValue("value", "Admin")))
		Expect(shown.text).To(ContainSubstring(`"OrganizationRole":"Guest"`))

		t.do(200, "PUT", "/Users/"+id, shown.text)

		Expect(t.stored(ctx, id).ResourceVersion).To(Equal(user.ResourceVersion))
	})
})

var _ = Describe("Where clients disagree", func() {
	var t *tenant
	BeforeEach(func(ctx SpecContext) { t = newTenant(ctx) })

	It("page size: count up to 1000, default 100, order of creation", func() {
		race(105, func(i int) int {
			return t.ask(replicas[0], "POST", "/Users", userBody(fmt.Sprintf("u%d@example.com", i))).status
		})
		Expect(t.do(200, "GET", "/Users", "").ids()).To(HaveLen(100))
		Expect(t.do(200, "GET", "/Users?count=5000", "").ids()).To(HaveLen(105))
	})
	It("emails never set show the userName as primary work mail; removed over SCIM they are absent", func() {
		id := t.user("ada@example.com")
		Expect(t.do(200, "GET", "/Users/"+id, "").json["emails"]).To(Equal([]any{map[string]any{"value": "ada@example.com", "type": "work", "primary": true}}))
		t.do(200, "PATCH", "/Users/"+id, patchOf(`{"op":"remove","path":"emails"}`))
		Expect(t.do(200, "GET", "/Users/"+id, "").json).NotTo(HaveKey("emails"))
	})
	It("error status is a string, numbers of a list are integers", func() {
		Expect(t.do(404, "GET", "/Users/x", "").text).To(ContainSubstring(`"status":"404"`))
		Expect(t.do(200, "GET", "/Users", "").text).To(ContainSubstring(`"totalResults":0,"itemsPerPage":0,"startIndex":1,"Resources":[]`))
	})
	It("discovery endpoints need the token like everything else", func() {
		for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/ResourceTypes/User", "/Nothing"} {
			Expect(t.ask(replicas[0], "GET", path, "", "Authorization: Bearer x").status).To(BeElementOf(401, 429))
		}
		for _, path := range []string{
			"/ServiceProviderConfig", "/ResourceTypes", "/Schemas", "/ResourceTypes/User", "/ResourceTypes/Group",
			"/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "/Schemas/urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group",
		} {
			t.do(200, "GET", path, "")
		}
	})
	It("/Schemas says what is stored, and locations are absolute", func() {
		a := t.do(200, "GET", "/Schemas", "")
		Expect(a.text).NotTo(ContainSubstring("null"))
		for _, schema := range a.json["Resources"].([]any) {
			location := schema.(map[string]any)["meta"].(map[string]any)["location"].(string)
			u, err := url.Parse(location)
			Expect(err).NotTo(HaveOccurred())
			Expect(u.IsAbs()).To(BeTrue())
			t.do(200, "GET", strings.TrimPrefix(location, replicas[0].url), "")
		}
	})
	It("OrganizationRole has no value while unset", func() {
		Expect(t.do(201, "POST", "/Users", userBody("ada@example.com")).text).NotTo(ContainSubstring("OrganizationRole"))
	})
	It("a POST without active means true", func(ctx SpecContext) {
		Expect(*t.stored(ctx, t.user("ada@example.com")).Spec.Active).To(BeTrue())
	})
	It("a POST without a name is 400, and so is one without a userName", func() {
		Expect(t.do(400, "POST", "/Users", `{"userName":"a@example.com"}`).json["detail"]).To(ContainSubstring("name.givenName"))
		Expect(t.do(400, "POST", "/Users", `{"name":{"givenName":"A","familyName":"B"}}`).json["detail"]).To(ContainSubstring("userName"))
	})
	It("two organizations of one namespace do not see each other", Label("security"), func(ctx SpecContext) {
		second := &v1alpha1.LambdaTestOrganization{
			ObjectMeta: metav1.ObjectMeta{Namespace: t.organization.Namespace, Name: "second"},
			Spec: v1alpha1.LambdaTestOrganizationSpec{
				TokenSecretRef: v1alpha1.SecretKeyReference{Name: "upstream"},
				SCIM:           v1alpha1.SCIMSettings{TokenSecretRef: &v1alpha1.SecretReference{Name: "second-tokens"}},
			},
		}
		Expect(k8s.Create(ctx, secretOf(t.organization.Namespace, "second-tokens", "second-"+t.token))).To(Succeed())
		Expect(k8s.Create(ctx, second)).To(Succeed())
		b := &tenant{organization: second, token: "second-" + t.token}
		Eventually(func() int { return b.ask(replicas[0], "GET", "/Users", "").status }).Should(Equal(200))
		id := t.user("ada@example.com")
		group := t.group("G", id)
		b.do(404, "GET", "/Users/"+id, "")
		b.do(404, "GET", "/Groups/"+group, "")
		b.do(404, "DELETE", "/Groups/"+group, "")
		api := &unreachable{Client: k8s}
		r := startReplica(optionsWith(api))
		DeferCleanup(func() { r.stop(); Eventually(r.done).Should(Receive(BeNil())) })
		Eventually(func() []string { return t.ask(r, "GET", "/Groups", "").ids() }).Should(ConsistOf(group))
		api.reads()
		Expect(b.ask(r, "GET", "/Groups/"+group, "").status).To(Equal(404))
		Expect(api.reads()).To(And(HaveLen(1), Not(ContainElement(group))), "to read the group takes longer than to read none, and would tell")
		Expect(b.do(200, "GET", "/Users", "").ids()).To(BeEmpty())
		Expect(b.user("ada@example.com")).NotTo(Equal(id))
		b.do(400, "POST", "/Groups", fmt.Sprintf(`{"displayName":"G","members":%s}`, memberList(id)))
	})
	It("a panic is a 500 in SCIM JSON and a log line", Label("security"), func() {
		failing := &unreachable{Client: k8s}
		failing.panics.Store(true)
		r := startReplica(optionsWith(failing))
		DeferCleanup(func() { r.stop(); Eventually(r.done).Should(Receive(BeNil())) })
		Eventually(func() int { return t.ask(r, "GET", "/Users", "").status }).Should(Equal(200))
		for _, a := range []answered{
			t.ask(r, "GET", "/Users/scim-aaaaaaaaaaaaaaaaaaaaaaaaaa", ""), t.ask(r, "PATCH", "/Groups/scim-aaaaaaaaaaaaaaaaaaaaaaaaaa", patchMembers("add", "x")),
		} {
			Expect(a.status).To(Equal(500))
			Expect(a.text).NotTo(ContainSubstring("boom"))
			Expect(r.log.with("SCIM request failed", "boom", a.header.Get("X-Request-Id"))).To(HaveLen(1))
		}
		Expect(t.ask(r, "GET", "/Users", "").status).To(Equal(200))
	})
})
