// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

var _ = Describe("A person whose resource an earlier version wrote", Label("security"), func() {
	const straße, strasse = "admin@straße.example", "admin@strasse.example"

	// written creates the resource as the earlier version did: its name is derived from the address in Unicode's canonical caseless form.
	written := func(ctx SpecContext, t *tenant) string {
		GinkgoHelper()
		id, differs := v1alpha1.FormerSCIMUserName("acme", straße)
		Expect(differs).To(BeTrue())
		Expect(k8s.Create(ctx, &v1alpha1.LambdaTestUser{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: t.organization.Namespace, Name: id, Finalizers: []string{v1alpha1.Finalizer},
				Labels: map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM},
			},
			Spec: v1alpha1.LambdaTestUserSpec{
				OrganizationRef: v1alpha1.OrganizationReference{Name: "acme"}, UserName: straße,
				Name: v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Example"}, Active: new(true),
			},
		})).To(Succeed())
		for _, r := range replicas {
			Eventually(func() []string { return t.ask(r, "GET", "/Users", "").ids() }).Should(ConsistOf(id))
		}
		return id
	}

	It("keeps the id, and is found by it, by userName and by POST", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := written(ctx, t)

		Expect(t.do(200, "GET", "/Users/"+id, "").json).To(HaveKeyWithValue("userName", straße))
		Expect(t.do(200, "GET", filtered("/Users", `userName eq "ADMIN@STRAßE.example"`), "").ids()).To(ConsistOf(id))
		Expect(t.do(409, "POST", "/Users", userBody("Admin@Straße.example")).json).To(HaveKeyWithValue("scimType", "uniqueness"))
		Expect(t.do(200, "GET", "/Users", "").ids()).To(ConsistOf(id))
		t.do(200, "PATCH", "/Users/"+id, deactivate)
		Expect(t.user(straße)).To(Equal(id), "a POST revives the resource")
	})
	It("is a member of groups under that id", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := written(ctx, t)
		group := t.group("QA", id)

		members := t.do(200, "GET", "/Groups/"+group, "").json["members"]
		Expect(members).To(ConsistOf(HaveKeyWithValue("value", id)))
		Expect(t.do(200, "GET", "/Users/"+id, "").json["groups"]).To(ConsistOf(HaveKeyWithValue("value", group)))
		t.do(204, "PATCH", "/Groups/"+group, fmt.Sprintf(`{"Operations":[{"op":"remove","path":"members[value eq \"%s\"]"}]}`, id))
		Expect(t.storedGroup(ctx, group).Spec.Members).To(BeEmpty())
	})
	It("is not shown, changed or denied for the person of the other spelling", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := written(ctx, t)

		Expect(t.do(200, "GET", filtered("/Users", `userName eq "`+strasse+`"`), "").ids()).To(BeEmpty())
		t.do(409, "POST", "/Users", userBody(strasse, `"active":false`))
		Expect(t.stored(ctx, id).IsDenial()).To(BeFalse())
	})
})

var _ = Describe("Two addresses that only Unicode's full case folding takes for one", Label("security"), func() {
	DescribeTable("are two people", func(ctx SpecContext, one, other string) {
		t := newTenant(ctx)
		first, second := t.user(one), t.user(other)
		Expect(first).NotTo(Equal(second))
		t.do(200, "PATCH", "/Users/"+second, deactivate)
		Expect(t.stored(ctx, first).IsDenial()).To(BeFalse())
		Expect(t.do(200, "GET", filtered("/Users", fmt.Sprintf("userName eq %q", other)), "").ids()).To(ConsistOf(second))
	},
		Entry("sharp s", "admin@strasse.example", "admin@straße.example"),
		Entry("final sigma", "ada@ελλάσ.example", "ada@ελλάς.example"),
		Entry("long s", "jose@example.com", "jo\u017fe@example.com"),
		Entry("a ligature", "fin@example.com", "\ufb01n@example.com"),
		Entry("the Kelvin sign", "kim@example.com", "\u212aim@example.com"))
})
