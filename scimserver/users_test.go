// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

const extension = `"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"`

func role(name string) string { return extension + fmt.Sprintf(`:{"OrganizationRole":%q}`, name) }

const deactivate = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":false}}]}`

var _ = Describe("Users", func() {
	var t *tenant
	BeforeEach(func(ctx SpecContext) { t = newTenant(ctx) })

	Describe("POST", func() {
		It("creates a resource that says whose it is", func(ctx SpecContext) {
			id := t.user("ada@example.com", `"externalId":"00u1"`, role("Admin"))

			user := t.stored(ctx, id)
			Expect(id).To(Equal(v1alpha1.SCIMUserName("acme", "ada@example.com")))
			Expect(user.Labels).To(HaveKeyWithValue(v1alpha1.SourceLabel, v1alpha1.SourceSCIM))
			Expect(user.Labels).To(HaveKeyWithValue(v1alpha1.PersonLabel, v1alpha1.PersonDigest("acme", "ada@example.com")))
			Expect(user.Finalizers).To(ConsistOf(v1alpha1.Finalizer))
			Expect(user.Annotations).To(HaveKey(v1alpha1.LastModifiedAnnotation))
			Expect(user.Spec.OrganizationRef.Name).To(Equal("acme"))
			Expect(user.Spec.Role).To(Equal(v1alpha1.RoleAdmin))
			Expect(user.Spec.ExternalID).To(Equal("00u1"))
			Expect(*user.Spec.Active).To(BeTrue())
		})
		It("answers 201 with the whole user, its place and its version", func() {
			a := t.do(201, "POST", "/Users", userBody("ada@example.com", `"password":"hunter2-hunter2"`))

			Expect(a.json).To(HaveKeyWithValue("active", true))
			Expect(a.json["meta"]).To(HaveKeyWithValue("location", replicas[0].url+"/Users/"+a.json["id"].(string)))
			Expect(a.header.Get("Location")).To(Equal(a.json["meta"].(map[string]any)["location"]))
			Expect(a.header.Get("ETag")).To(Equal(a.json["meta"].(map[string]any)["version"]))
			Expect(a.text).NotTo(ContainSubstring("hunter2"))
		})
		It("drops the password: neither stored nor logged", func(ctx SpecContext) {
			id := t.user("ada@example.com", `"password":"hunter2-hunter2"`)

			Expect(fmt.Sprintf("%v", t.stored(ctx, id))).NotTo(ContainSubstring("hunter2"))
			Expect(replicas[0].log.with("hunter2")).To(BeEmpty())
		})
		It("answers 409 uniqueness for an active user, whatever the case of the name", func() {
			t.user("ada@example.com")
			a := t.do(409, "POST", "/Users", userBody("ADA@Example.com"))
			Expect(a.json).To(HaveKeyWithValue("scimType", "uniqueness"))
			Expect(a.json).To(HaveKeyWithValue("status", "409"))
		})
		It("gives one of two racing requests 201 and the other 409", func() {
			for round := range 10 {
				body := userBody(fmt.Sprintf("race%d@example.com", round))
				Expect(race(2, func(i int) int { return t.ask(replicas[i], "POST", "/Users", body).status })).To(ConsistOf(201, 409))
			}
		})
		It("refuses a userName that is no e-mail address", func() {
			a := t.do(400, "POST", "/Users", userBody("ada"))
			Expect(a.json).To(HaveKeyWithValue("scimType", "invalidValue"))
			Expect(a.json["detail"]).To(ContainSubstring("userName"))
		})
		It("takes any userName where the organization says so", func(ctx SpecContext) {
			t = newTenant(ctx, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.SCIM.UserNamePolicy = v1alpha1.UserNameAny })
			t.user("ada")
		})
		It("refuses more than the organization's maxRole", func(ctx SpecContext) {
			t = newTenant(ctx, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.SCIM.MaxRole = v1alpha1.RoleUser })
			a := t.do(400, "POST", "/Users", userBody("ada@example.com", role("Admin")))
			Expect(a.json["detail"]).To(ContainSubstring("OrganizationRole"))
			t.do(201, "POST", "/Users", userBody("ada@example.com", role("User")))
		})
		It("does not see a person whom only Git declares, and adds the provider's claim", func(ctx SpecContext) {
			declared := &v1alpha1.LambdaTestUser{
				ObjectMeta: metav1.ObjectMeta{Namespace: t.organization.Namespace, Name: "ada"},
				Spec: v1alpha1.LambdaTestUserSpec{
					OrganizationRef: v1alpha1.OrganizationReference{Name: "acme"}, UserName: "ada@example.com",
					Name: v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Git"},
				},
			}
			Expect(k8s.Create(ctx, declared)).To(Succeed())
			Expect(t.do(200, "GET", filtered("/Users", `userName eq "ada@example.com"`), "").ids()).To(BeEmpty())

			id := t.user("ada@example.com")

			Expect(t.stored(ctx, id).Name).NotTo(Equal("ada"))
			t.do(404, "GET", "/Users/ada", "")
		})
	})

	Describe("revival by POST", func() {
		It("revives with no more than maxRole", func(ctx SpecContext) {
			t = newTenant(ctx, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.SCIM.MaxRole = v1alpha1.RoleGuest })
			id := t.user("ada@example.com")
			t.do(200, "PATCH", "/Users/"+id, deactivate)

			Expect(t.user("ada@example.com")).To(Equal(id))

			Expect(t.stored(ctx, id).Spec.Role).To(Equal(v1alpha1.RoleGuest))
		})
		It("revives an inactive user in place: 201, the same id, and User without a role", func(ctx SpecContext) {
			id := t.user("ada@example.com", role("Admin"), `"externalId":"one"`)
			t.do(200, "PATCH", "/Users/"+id, deactivate)

			Expect(t.user("ada@example.com", `"externalId":"one"`)).To(Equal(id))

			user := t.stored(ctx, id)
			Expect(user.Spec.Role).To(Equal(v1alpha1.RoleUser))
			Expect(*user.Spec.Active).To(BeTrue())
		})
		It("keeps the groups of a person who comes back with the same externalId", func(ctx SpecContext) {
			id := t.user("ada@example.com", `"externalId":"one"`)
			group := t.group("Admins", id)
			t.do(200, "PATCH", "/Users/"+id, deactivate)

			t.user("ada@example.com", `"externalId":"one"`)

			Expect(t.storedGroup(ctx, group).Spec.Members).To(ConsistOf("ada@example.com"))
		})
		It("takes somebody with another externalId out of the groups of before", func(ctx SpecContext) {
			id := t.user("ada@example.com", `"externalId":"one"`)
			group := t.group("Admins", id)
			t.do(204, "DELETE", "/Users/"+id, "")

			t.user("ada@example.com", `"externalId":"two"`)

			Expect(t.storedGroup(ctx, group).Spec.Members).To(BeEmpty())
		})
		It("waits for a resource that is being deleted, and succeeds once it is gone", func(ctx SpecContext) {
			id := t.user("ada@example.com")
			user := t.stored(ctx, id)
			Expect(k8s.Delete(ctx, user)).To(Succeed())
			t.do(404, "GET", "/Users/"+id, "")
			go func() {
				defer GinkgoRecover()
				time.Sleep(200 * time.Millisecond) // what a controller does meanwhile
				user := t.stored(ctx, id)
				user.Finalizers = nil
				Expect(k8s.Update(ctx, user)).To(Succeed())
			}()

			Expect(t.user("ada@example.com")).To(Equal(id))
		})
	})

	Describe("GET", func() {
		It("shows on one replica at once what another wrote", func() {
			for i := range 20 {
				id := t.user(fmt.Sprintf("ada%d@example.com", i))
				Expect(t.ask(replicas[1], "GET", "/Users/"+id, "").status).To(Equal(200))
				found := t.ask(replicas[1], "GET", filtered("/Users", fmt.Sprintf(`userName eq "ADA%d@example.com"`, i)), "")
				Expect(found.ids()).To(ConsistOf(id))
			}
		})
		It("answers 404 for ids of other tenants, of other kinds and of no form", func(ctx SpecContext) {
			other := newTenant(ctx)
			id := other.user("ada@example.com")
			group := t.group("Admins")
			for _, id := range []string{id, group, "nobody", "scim-", "..%2f" + id, "%00", id + "%2f"} {
				Expect(t.ask(replicas[0], "GET", "/Users/"+id, "").status).To(Equal(404), id)
			}
		})
		It("answers 304 when the client has this version", func() {
			a := t.do(201, "POST", "/Users", userBody("ada@example.com"))
			path := "/Users/" + a.json["id"].(string)
			t.do(304, "GET", path, "", "If-None-Match: "+a.header.Get("ETag"))
			t.do(200, "PATCH", path, deactivate)
			t.do(200, "GET", path, "", "If-None-Match: "+a.header.Get("ETag"))
		})
	})

	Describe("PUT", func() {
		It("writes nothing when it is what GET gave", func(ctx SpecContext) {
			id := t.user("ada@example.com", role("Guest"), `"emails":[{"value":"a@example.com","type":"home"},{"value":"b@example.com","primary":true}]`)
			t.group("Admins", id)
			before := t.stored(ctx, id)
			Eventually(func() any { return t.do(200, "GET", "/Users/"+id, "").json["groups"] }).Should(HaveLen(1))

			t.do(200, "PUT", "/Users/"+id, t.do(200, "GET", "/Users/"+id, "").text)

			Expect(t.stored(ctx, id).ResourceVersion).To(Equal(before.ResourceVersion))
		})
		It("keeps active, externalId, name and the extension when they are not given, and clears the rest", func(ctx SpecContext) {
			id := t.user("ada@example.com", role("Guest"), `"externalId":"one","displayName":"Ada","emails":[{"value":"a@example.com"}]`)
			t.do(200, "PUT", "/Users/"+id, `{"userName":"ada@example.com"}`)

			spec := t.stored(ctx, id).Spec
			Expect(spec.Role).To(Equal(v1alpha1.RoleGuest))
			Expect(spec.ExternalID).To(Equal("one"))
			Expect(spec.Name.GivenName).To(Equal("Ada"))
			Expect(spec.DisplayName).To(BeEmpty())
			Expect(spec.Emails).To(BeEmpty())
			Expect(t.do(200, "GET", "/Users/"+id, "").json).NotTo(HaveKey("emails"))
		})
		It("keeps the stored spelling of a userName in another case", func(ctx SpecContext) {
			id := t.user("ada@example.com")
			before := t.stored(ctx, id).ResourceVersion
			a := t.do(200, "PUT", "/Users/"+id, userBody("ADA@EXAMPLE.COM", `"emails":[{"value":"ada@example.com","type":"work","primary":true}]`))
			Expect(a.json).To(HaveKeyWithValue("userName", "ada@example.com"))
			Expect(t.stored(ctx, id).ResourceVersion).To(Equal(before))
		})
		It("refuses a change of the userName, saying why", func(ctx SpecContext) {
			id := t.user("ada@example.com")
			a := t.do(400, "PUT", "/Users/"+id, userBody("grace@example.com", `"displayName":"Grace"`))
			Expect(a.json).To(HaveKeyWithValue("scimType", "mutability"))
			Expect(a.json["detail"]).To(ContainSubstring("cannot rename"))
			Expect(t.stored(ctx, id).Spec.DisplayName).To(BeEmpty())
		})
		It("refuses a stale version", func() {
			a := t.do(201, "POST", "/Users", userBody("ada@example.com"))
			path := "/Users/" + a.json["id"].(string)
			t.do(200, "PUT", path, userBody("ada@example.com", `"displayName":"A"`), "If-Match: "+a.header.Get("ETag"))
			t.do(412, "PUT", path, userBody("ada@example.com", `"displayName":"B"`), "If-Match: "+a.header.Get("ETag"))
			t.do(412, "PATCH", path, `{"Operations":[{"op":"add","path":"displayName","value":"C"}]}`, "If-Match: "+a.header.Get("ETag"))
			t.do(412, "DELETE", path, "", "If-Match: "+a.header.Get("ETag"))
			t.do(200, "PUT", path, userBody("ada@example.com", `"displayName":"B"`), "If-Match: *")
		})
		It("goes on when only the status was written in between", func(ctx SpecContext) {
			a := t.do(201, "POST", "/Users", userBody("ada@example.com"))
			id := a.json["id"].(string)
			user := t.stored(ctx, id)
			user.Status.AccountID = "7"
			Expect(k8s.Status().Update(ctx, user)).To(Succeed())
			t.do(200, "PUT", "/Users/"+id, userBody("ada@example.com", `"displayName":"A"`), "If-Match: "+a.header.Get("ETag"))
		})
	})

	Describe("DELETE", func() {
		It("is a mark: a denial stays, and the provider sees nobody", func(ctx SpecContext) {
			id := t.user("ada@example.com")
			t.do(204, "DELETE", "/Users/"+id, "")

			user := t.stored(ctx, id)
			Expect(user.IsDenial()).To(BeTrue())
			Expect(user.IsMarkedDeleted()).To(BeTrue())
			for _, r := range replicas {
				Expect(t.ask(r, "GET", "/Users/"+id, "").status).To(Equal(404))
				Expect(t.ask(r, "GET", filtered("/Users", `userName eq "ada@example.com"`), "").ids()).To(BeEmpty())
			}
			Expect(t.do(200, "GET", "/Users", "").ids()).To(BeEmpty())
		})
		It("answers a second DELETE, a PUT and a PATCH with 404, and a POST with 201 and the same id", func() {
			id := t.user("ada@example.com")
			t.do(204, "DELETE", "/Users/"+id, "")
			t.do(404, "DELETE", "/Users/"+id, "")
			t.do(404, "PUT", "/Users/"+id, userBody("ada@example.com"))
			t.do(404, "PATCH", "/Users/"+id, deactivate)
			Expect(t.user("ada@example.com")).To(Equal(id))
			t.do(200, "GET", "/Users/"+id, "")
		})
	})

	It("retries here when others write the same user, and never tells the provider", func(ctx SpecContext) {
		id := t.user("ada@example.com")
		statuses := race(9, func(i int) int {
			body := fmt.Sprintf(`{"Operations":[{"op":"add","path":"emails","value":[{"value":"a%d@example.com"}]}]}`, i)
			return t.ask(replicas[i%2], "PATCH", "/Users/"+id, body).status
		})
		Expect(statuses).To(HaveEach(200))
		Expect(t.stored(ctx, id).Spec.Emails).To(HaveLen(10))
	})

	It("shows a broken object of its own without failing the list", func(ctx SpecContext) {
		t.user("ada@example.com")
		odd := &v1alpha1.LambdaTestUser{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: t.organization.Namespace, Name: "scim-odd", Labels: map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM},
				Annotations: map[string]string{v1alpha1.LastModifiedAnnotation: "yesterday"},
			},
			Spec: v1alpha1.LambdaTestUserSpec{
				OrganizationRef: v1alpha1.OrganizationReference{Name: "acme"}, UserName: `o"dd\`, Name: v1alpha1.PersonName{GivenName: "\u2028", FamilyName: "<"},
			},
		}
		Expect(k8s.Create(ctx, odd)).To(Succeed())
		Eventually(func() []string { return t.do(200, "GET", "/Users", "").ids() }).Should(HaveLen(2))
		Expect(k8s.Delete(ctx, odd, client.GracePeriodSeconds(0))).To(Succeed())
	})
})
