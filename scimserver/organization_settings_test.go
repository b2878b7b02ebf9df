// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// set changes the tenant's organization, and returns when both replicas act on it.
func (t *tenant) set(ctx context.Context, change func(*v1alpha1.SCIMSettings)) {
	GinkgoHelper()
	patch := client.MergeFrom(t.organization.DeepCopy())
	change(&t.organization.Spec.SCIM)
	Expect(k8s.Patch(ctx, t.organization, patch)).To(Succeed())
	for _, r := range replicas {
		Eventually(func() string {
			return t.ask(r, "GET", "/Schemas", "").text + t.ask(r, "DELETE", "/Groups/none", "").text
		}).
			Should(And(ContainSubstring(t.rolesMutability()), t.pausedMatcher()))
	}
}

func (t *tenant) rolesMutability() string {
	if t.organization.Spec.SCIM.CoreRoles {
		return "OrganizationRole in the same request wins"
	}
	return "The role in force"
}

func (t *tenant) pausedMatcher() OmegaMatcher {
	if t.organization.Spec.SCIM.Paused {
		return ContainSubstring("paused")
	}
	return Not(ContainSubstring("paused"))
}

// scimStatus reads what the endpoint reports about the tenant.
func (t *tenant) scimStatus(ctx context.Context) func() *v1alpha1.SCIMStatus {
	return func() *v1alpha1.SCIMStatus {
		organization := &v1alpha1.LambdaTestOrganization{}
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(t.organization), organization); err != nil {
			return nil
		}
		return organization.Status.SCIM
	}
}

// eventsOf empties the first replica's recorder and returns the events that contain all words.
func eventsOf(words ...string) []string {
	var found []string
	for {
		select {
		case event := <-replicas[0].events.Events:
			matches := true
			for _, word := range words {
				matches = matches && strings.Contains(event, word)
			}
			if matches {
				found = append(found, event)
			}
		default:
			return found
		}
	}
}

// counted adds up a counter of one namespace.
func (r *replica) counted(name, namespace string) float64 {
	GinkgoHelper()
	families, err := r.metrics.Gather()
	Expect(err).NotTo(HaveOccurred())
	sum := 0.0
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name && strings.Contains(metric.String(), namespace) {
				sum += metric.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func limited(change func(*v1alpha1.SCIMLimits)) func(*v1alpha1.LambdaTestOrganization) {
	return func(o *v1alpha1.LambdaTestOrganization) { change(&o.Spec.SCIM.Limits) }
}

var _ = Describe("What an organization may store", func() {
	It("is bounded in people: 507 says what to do, and denials, deletions and revivals pass", func(ctx SpecContext) {
		t := newTenant(ctx, limited(func(l *v1alpha1.SCIMLimits) { l.People = 2 }))
		ada, grace := t.user("ada@example.com"), t.user("grace@example.com")
		eventsOf()

		a := t.do(507, "POST", "/Users", userBody("edsger@example.com"))
		Expect(a.json["detail"]).To(And(ContainSubstring("2 people"), ContainSubstring("delete what is not needed"), ContainSubstring("spec.scim.limits.people")))
		t.do(507, "POST", "/Users", userBody("barbara@example.com"))
		Expect(eventsOf("SCIMLimitReached", "2 people")).To(HaveLen(1), "once an hour")

		t.do(200, "PUT", "/Users/"+ada, userBody("ada@example.com", `"displayName":"Ada"`))
		t.do(200, "PATCH", "/Users/"+ada, deactivate)
		Expect(t.user("ada@example.com")).To(Equal(ada), "a revival needs no more people")
		t.do(201, "POST", "/Users", userBody("edsger@example.com", `"active":false`))
		t.do(204, "DELETE", "/Users/"+grace, "")
		t.do(507, "POST", "/Users", userBody("barbara@example.com"))
		Eventually(t.scimStatus(ctx)).Should(HaveField("LimitsReached", HaveKey("people")))
	})

	It("is bounded in groups and members: 413 for one that is too large, 507 when the organization is full", func(ctx SpecContext) {
		t := newTenant(ctx, limited(func(l *v1alpha1.SCIMLimits) { l.Groups, l.Members = 2, 3 }))
		var people []string
		for i := range 4 {
			people = append(people, t.user(fmt.Sprintf("p%d@example.com", i)))
		}
		a := t.do(413, "POST", "/Groups", fmt.Sprintf(`{"displayName":"all","members":%s}`, memberList(people...)))
		Expect(a.json["detail"]).To(And(ContainSubstring("the request alone"), ContainSubstring("3 members")))
		first := t.group("first", people[:2]...)
		second := t.group("second", people[0])

		a = t.do(507, "PATCH", "/Groups/"+second, fmt.Sprintf(`{"Operations":[{"op":"add","path":"members","value":%s}]}`, memberList(people[1])))
		Expect(a.json["detail"]).To(ContainSubstring("spec.scim.limits.members"))
		t.do(507, "POST", "/Groups", `{"displayName":"third"}`)
		t.do(200, "PUT", "/Groups/"+second, fmt.Sprintf(`{"displayName":"renamed","members":%s}`, memberList(people[3])))
		t.do(204, "PATCH", "/Groups/"+first, fmt.Sprintf(`{"Operations":[{"op":"remove","path":"members","value":%s}]}`, memberList(people[0])))
		t.do(204, "PATCH", "/Groups/"+second, fmt.Sprintf(`{"Operations":[{"op":"add","path":"members","value":%s}]}`, memberList(people[1])))
		Eventually(t.scimStatus(ctx)).Should(HaveField("LimitsReached", And(HaveKey("groups"), HaveKey("members"), Not(HaveKey("people")))))
	})

	It("is bounded in bytes, and of a request that denies and grows only the denial is applied", func(ctx SpecContext) {
		t := newTenant(ctx, limited(func(l *v1alpha1.SCIMLimits) { l.Bytes = 100 }))
		ada := t.user("ada@example.com")
		long := fmt.Sprintf(`"displayName":%q`, strings.Repeat("x", 80))

		a := t.do(413, "PUT", "/Users/"+ada, userBody("ada@example.com", long))
		Expect(a.json["detail"]).To(ContainSubstring("100 bytes"))
		a = t.do(200, "PUT", "/Users/"+ada, userBody("ada@example.com", long, `"active":false`))

		Expect(a.json).To(HaveKeyWithValue("active", false))
		Expect(t.stored(ctx, ada).Spec.DisplayName).To(BeEmpty())
		Expect(t.stored(ctx, ada).IsDenial()).To(BeTrue())
	})

	It("has generous defaults", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(t.organization), t.organization)).To(Succeed())
		Expect(t.organization.Spec.SCIM.Limits).To(Equal(v1alpha1.SCIMLimits{People: 100_000, Groups: 10_000, Members: 500_000, Bytes: 64 << 20}))
	})
})

var _ = Describe("A paused organization", func() {
	var (
		t         *tenant
		ada, team string
	)
	BeforeEach(func(ctx SpecContext) {
		t = newTenant(ctx)
		ada = t.user("ada@example.com", role("Guest"))
		team = t.group("Team", ada)
		t.set(ctx, func(s *v1alpha1.SCIMSettings) { s.Paused = true })
	})

	It("answers 503 with Retry-After and a sentence to writes", func(ctx SpecContext) {
		before := t.stored(ctx, ada).ResourceVersion
		for _, request := range [][3]string{
			{"POST", "/Users", userBody("grace@example.com")},
			{"POST", "/Users", userBody("ada@example.com")},
			{"PUT", "/Users/" + ada, userBody("ada@example.com", `"displayName":"Ada"`)},
			{"PATCH", "/Users/" + ada, `{"Operations":[{"op":"replace","path":"displayName","value":"Ada"}]}`},
			{"POST", "/Groups", `{"displayName":"Others"}`},
			{"PUT", "/Groups/" + team, `{"displayName":"Team","members":[]}`},
			{"PATCH", "/Groups/" + team, `{"Operations":[{"op":"remove","path":"members"}]}`},
			{"DELETE", "/Groups/" + team, ""},
		} {
			a := t.do(503, request[0], request[1], request[2])
			Expect(a.header.Get("Retry-After")).To(Equal("300"))
			Expect(a.json["detail"]).To(And(ContainSubstring("paused"), ContainSubstring("spec.scim.paused"), ContainSubstring("later")))
		}
		Expect(t.stored(ctx, ada).ResourceVersion).To(Equal(before))
		Expect(t.storedGroup(ctx, team).Spec.Members).To(HaveLen(1))
	})

	It("answers reads, because providers read a user before they deny", func() {
		t.do(200, "GET", "/Users/"+ada, "")
		Expect(t.do(200, "GET", filtered("/Users", `userName eq "ada@example.com"`), "").ids()).To(ConsistOf(ada))
		t.do(200, "GET", "/Groups/"+team, "")
		t.do(200, "POST", "/Users/.search", `{"count":1}`)
		t.do(200, "GET", "/ServiceProviderConfig", "")
	})

	It("takes a denial, and nothing else of the request", func(ctx SpecContext) {
		a := t.do(200, "PUT", "/Users/"+ada, userBody("ada@example.com", `"active":false,"displayName":"Ada"`, role("Admin")))
		Expect(a.json).To(HaveKeyWithValue("active", false))

		spec := t.stored(ctx, ada).Spec
		Expect(*spec.Active).To(BeFalse())
		Expect(spec.DisplayName).To(BeEmpty())
		Expect(spec.Role).To(Equal(v1alpha1.RoleGuest))
		t.do(503, "PATCH", "/Users/"+ada, `{"Operations":[{"op":"replace","path":"active","value":true}]}`)
	})

	It("takes a denial by PATCH and by POST, and a deletion", func(ctx SpecContext) {
		eventsOf()
		t.do(200, "PATCH", "/Users/"+ada, deactivate)
		Expect(eventsOf("DeniedInPart")).To(BeEmpty(), "nothing was left out")
		a := t.do(201, "POST", "/Users", userBody("grace@example.com", `"active":false`, role("Admin")))
		grace := t.stored(ctx, a.json["id"].(string))
		Expect(grace.IsDenial()).To(BeTrue())
		Expect(grace.Spec.Role).To(BeEmpty())
		t.do(204, "DELETE", "/Users/"+ada, "")
		Expect(t.stored(ctx, ada).IsMarkedDeleted()).To(BeTrue())
	})

	It("goes on when it is no longer paused", func(ctx SpecContext) {
		t.set(ctx, func(s *v1alpha1.SCIMSettings) { s.Paused = false })
		t.do(200, "PUT", "/Users/"+ada, userBody("ada@example.com", `"displayName":"Ada"`))
		t.do(204, "DELETE", "/Groups/"+team, "")
	})
})

var _ = Describe("Core roles", func() {
	It("are the role where the organization says so, and lists show them at once", func(ctx SpecContext) {
		t := newTenant(ctx, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.SCIM.CoreRoles = true })
		ada := t.user("ada@example.com", `"roles":[{"value":"Admin","primary":true}]`)
		Expect(t.stored(ctx, ada).Spec.Role).To(Equal(v1alpha1.RoleAdmin))

		shown := t.do(200, "GET", "/Users/"+ada, "")
		Expect(shown.json["roles"]).To(ConsistOf(HaveKeyWithValue("value", "Admin")))
		before := t.stored(ctx, ada).ResourceVersion
		t.do(200, "PUT", "/Users/"+ada, shown.text)
		Expect(t.stored(ctx, ada).ResourceVersion).To(Equal(before))
		Expect(t.do(200, "GET", filtered("/Users", `roles.value eq "Admin"`), "").ids()).To(ConsistOf(ada))

		t.set(ctx, func(s *v1alpha1.SCIMSettings) { s.CoreRoles = false })
		for range 2 { // from a rendering that is kept
			list := t.do(200, "GET", "/Users", "")
			Expect(list.text).To(And(ContainSubstring(`"OrganizationRole":"Admin"`), Not(ContainSubstring(`"roles"`))))
		}
		t.set(ctx, func(s *v1alpha1.SCIMSettings) { s.CoreRoles = true })
		Expect(t.do(200, "GET", "/Users", "").text).To(And(ContainSubstring(`"roles":[{"value":"Admin"`), Not(ContainSubstring("OrganizationRole"))))
	})

	It("are ignored otherwise", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(t.stored(ctx, t.user("ada@example.com", `"roles":["Admin"]`)).Spec.Role).To(BeEmpty())
	})
})

var _ = Describe("An attribute that looks like LambdaTest's and is not", func() {
	It("is counted, logged and told once an hour, and is in the organization's status", func(ctx SpecContext) {
		t := newTenant(ctx)
		wrong := `"urn:ietf:params:scim:schemas:extension:TestMu:2.0:User":{"OrganizationRole":"Admin"}`
		eventsOf()
		for i := range 3 {
			t.user(fmt.Sprintf("p%d@example.com", i), wrong)
		}
		id := t.user("ada@example.com")
		t.do(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"add","path":"OrganizationRole","value":"Admin"}]}`)

		Expect(replicas[0].counted("lambdatest_scim_ignored_attributes_total", t.organization.Namespace)).To(BeEquivalentTo(4))
		Expect(replicas[0].log.with("SCIMAttributesIgnored", "extension:TestMu:", t.organization.Namespace)).To(HaveLen(1))
		told := eventsOf(corev1.EventTypeWarning, "SCIMAttributesIgnored")
		Expect(told).To(HaveLen(2))
		Expect(told[0]).To(And(ContainSubstring("extension:TestMu:2.0:User"), ContainSubstring("docs/okta.md, step 9")))
		Eventually(t.scimStatus(ctx)).Should(HaveField("IgnoredAttributes", And(
			HaveKey("urn:ietf:params:scim:schemas:extension:TestMu:2.0:User"), HaveKey("OrganizationRole"))))
	})

	It("is not what a provider sends of its own", func(ctx SpecContext) {
		t := newTenant(ctx)
		eventsOf()
		id := t.user("ada@example.com", `"locale":"en"`, `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x"}`, role("Admin"))
		t.do(200, "PUT", "/Users/"+id, t.do(200, "GET", "/Users/"+id, "").text)
		Expect(eventsOf("SCIMAttributesIgnored")).To(BeEmpty())
	})
})
