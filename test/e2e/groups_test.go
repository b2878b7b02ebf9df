// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

const (
	createGroup  = "POST /Groups"
	updateGroup  = "PATCH /Groups/{id}"
	replaceGroup = "PUT /Groups/{id}"
	deleteGroup  = "DELETE /Groups/{id}"
)

var _ = Describe("a group", Label("groups"), func() {
	It("is pushed with its roles and its members, who get the role", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada, bob := w.address("ada"), w.address("bob")
		w.declareAll(ctx, []string{ada, bob})

		admins := w.declareGroup(ctx, "Admins", v1alpha1.RoleAdmin, ada, bob)

		Eventually(w.group("Admins")).Should(And(HaveField("Roles", ConsistOf("Admin")), haveMembers(ada, bob)))
		Eventually(w.groupResource(ctx, admins.Name)).Should(BeReady(v1alpha1.SyncedReason))
		for _, member := range []string{ada, bob} {
			Eventually(w.account(member)).Should(haveRole("Admin"))
			Eventually(w.user(ctx, w.declaredName(member))).Should(HaveField("Status.Effective.RoleFrom", "LambdaTestGroup/"+admins.Name))
		}
		Expect(w.LambdaTest.Count(createGroup)).To(Equal(1))
	})

	It("names members who have no account yet and adds them later, but creates no account", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")

		group := w.declareGroup(ctx, "Testers", "", ada)

		Eventually(w.groupResource(ctx, group.Name)).Should(HaveField("Status.PendingMembers", ConsistOf(ada)))
		Expect(w.accounts()).To(BeZero())
		w.declare(ctx, ada)
		Eventually(w.group("Testers")).Should(haveMembers(ada))
		Eventually(w.groupResource(ctx, group.Name)).Should(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.PendingMemberCount", BeZero())))
	})

	It("and a user can both give a role: the group's role wins, and sweeps write nothing", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		declared := w.declare(ctx, ada, role(v1alpha1.RoleGuest))
		group := w.declareGroup(ctx, "Admins", v1alpha1.RoleAdmin, ada)
		Eventually(w.account(ada)).Should(haveRole("Admin"))
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(w.groupResource(ctx, group.Name)).Should(BeReady(v1alpha1.SyncedReason))
		w.afterSweeps(1)
		before := w.LambdaTest.Writes()

		w.afterSweeps(3)

		Expect(w.LambdaTest.Writes()).To(Equal(before))
		w.changeGroup(ctx, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members = nil })
		Eventually(w.group("Admins")).Should(haveMembers())
		Eventually(w.account(ada)).Should(haveRole("Guest"), "the role of the claim, after the person left the last group")
	})

	It("is renamed, set back after an edit at LambdaTest, and deleted", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		w.declare(ctx, ada)
		group := w.declareGroup(ctx, "Testers", v1alpha1.RoleUser, ada)
		Eventually(w.group("Testers")).Should(haveMembers(ada))
		id := must(w.group("Testers")()).ID

		w.changeGroup(ctx, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.DisplayName = "Quality" })
		Eventually(w.group("Quality")).Should(And(HaveField("ID", id), haveMembers(ada)))

		w.LambdaTest.SetGroup("Quality", []string{"Admin"})
		Eventually(w.group("Quality")).Should(And(HaveField("Roles", ConsistOf("User")), haveMembers(ada)))

		Expect(env.Client.Delete(ctx, group)).To(Succeed())
		Eventually(w.readerOf(ctx, group)).Should(beGone())
		Expect(w.LambdaTest.Groups()).To(BeEmpty())
	})

	It("says what to do if LambdaTest has group provisioning switched off, and continues once it is on", func(ctx SpecContext) {
		w := newWorld(ctx, simulating(simulator.With(simulator.Switches{GroupsOff: true})))
		ada := w.address("ada")
		w.declare(ctx, ada)
		Eventually(w.account(ada)).Should(beActive())

		group := w.declareGroup(ctx, "Testers", "", ada)

		Eventually(w.groupResource(ctx, group.Name)).Should(And(
			BeStalled(v1alpha1.GroupProvisioningDisabledReason), WithTransform(messageOf, ContainSubstring("RolesOnly"))))
		before := len(w.callsTo(createGroup))
		w.afterSweeps(2)
		Expect(w.callsTo(createGroup)).To(HaveLen(before), "the operator must not retry")
		w.LambdaTest.Switch(func(s *simulator.Switches) { s.GroupsOff = false })
		w.changeGroup(ctx, group, func(g *v1alpha1.LambdaTestGroup) {
			metav1.SetMetaDataAnnotation(&g.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, "now")
		})
		Eventually(w.group("Testers")).Should(haveMembers(ada))
	})

	It("with the displayName of an older group waits, and takes over without a DELETE", Label("duplicate"), func(ctx SpecContext) {
		w := newWorld(ctx)
		ada, bob := w.address("ada"), w.address("bob")
		w.declareAll(ctx, []string{ada, bob})
		older := w.declareGroup(ctx, "Testers", "", ada)
		Eventually(w.groupResource(ctx, older.Name)).Should(BeReady(v1alpha1.SyncedReason))
		younger := w.declareGroup(ctx, "testers", "", bob)
		Eventually(w.groupResource(ctx, younger.Name)).Should(BeStalled(v1alpha1.DuplicateDisplayNameReason))

		Expect(env.Client.Delete(ctx, older)).To(Succeed())

		Eventually(w.groupResource(ctx, younger.Name)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(w.group("testers")).Should(haveMembers(bob))
		Expect(w.LambdaTest.Count(deleteGroup)).To(BeZero())
	})

	It("that the identity provider pushes, member by member, arrives", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada, bob := w.address("ada"), w.address("bob")
		adaID, bobID := w.provision(ctx, ada), w.provision(ctx, bob)
		id := w.provisionGroup(ctx, "Engineering", "Admin")

		for _, member := range []string{adaID, bobID} {
			w.scim(ctx, http.MethodPatch, "/Groups/"+id, patch("add", "members", []attributes{{"value": member}}), http.StatusNoContent)
		}
		w.scim(ctx, http.MethodPatch, "/Groups/"+id, patch("remove", fmt.Sprintf("members[value eq %q]", bobID), nil), http.StatusNoContent)

		Eventually(w.group("Engineering")).Should(haveMembers(ada))
		Eventually(w.account(ada)).Should(haveRole("Admin"))
		Eventually(w.account(bob)).Should(haveRole("User"))
		w.scim(ctx, http.MethodDelete, "/Groups/"+id, nil, http.StatusNoContent)
		Eventually(w.LambdaTest.Groups).Should(BeEmpty())
		Eventually(w.account(ada)).Should(haveRole("User"))
	})

	It("does not contain a deleted person after another person gets the same userName", Label("revival"), func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		id := w.provision(ctx, ada, attributes{"externalId": "first"})
		group := w.provisionGroup(ctx, "Engineering", "Admin", id)
		Eventually(w.account(ada)).Should(haveRole("Admin"))
		w.scim(ctx, http.MethodDelete, "/Users/"+id, nil, http.StatusNoContent)
		Eventually(w.account(ada)).Should(beInactive())

		w.provision(ctx, ada, attributes{"externalId": "second"})

		Eventually(w.account(ada)).Should(And(beActive(), haveRole("User")))
		Eventually(w.group("Engineering")).Should(haveMembers())
		Eventually(w.groupResource(ctx, group)).Should(HaveField("Spec.Members", BeEmpty()))
	})
})

var _ = Describe("groups that only decide roles", Label("roles-only"), func() {
	rolesOnly := specified(func(spec *v1alpha1.LambdaTestOrganizationSpec) { spec.GroupMode = v1alpha1.GroupRolesOnly })

	It("give their members the highest of their roles, and nothing is pushed", func(ctx SpecContext) {
		w := newWorld(ctx, rolesOnly, simulating(simulator.With(simulator.Switches{GroupsOff: true})))
		ada, bob := w.address("ada"), w.address("bob")
		w.declareAll(ctx, []string{ada, bob}, role(v1alpha1.RoleGuest))

		w.declareGroup(ctx, "Everybody", v1alpha1.RoleUser, ada, bob)
		admins := w.declareGroup(ctx, "Admins", v1alpha1.RoleAdmin, ada)

		Eventually(w.account(ada)).Should(haveRole("Admin"))
		Eventually(w.account(bob)).Should(haveRole("User"))
		Eventually(w.groupResource(ctx, admins.Name)).Should(BeReady(v1alpha1.SyncedReason))
		w.changeGroup(ctx, admins, func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members = nil })
		Eventually(w.account(ada)).Should(haveRole("User"))
		Expect(w.groupCalls()).To(BeZero())
	})
})

var _ = Describe("a group whose deletion would demote many", Label("demotion", "roles-only"), func() {
	It("stays until that is approved", func(ctx SpecContext) {
		w := newWorld(ctx, specified(func(spec *v1alpha1.LambdaTestOrganizationSpec) { spec.GroupMode = v1alpha1.GroupRolesOnly }))
		everybody := w.addresses(staff)
		w.declareAll(ctx, everybody, role(v1alpha1.RoleUser))
		admins := w.declareGroup(ctx, "Admins", v1alpha1.RoleAdmin, everybody...)
		Eventually(w.withRole("Admin")).Should(Equal(staff))
		Eventually(w.standings(ctx)).Should(HaveKeyWithValue(v1alpha1.SyncedReason, staff))

		Expect(env.Client.Delete(ctx, admins)).To(Succeed())

		Eventually(w.held(ctx)).ShouldNot(BeNil())
		w.afterSweeps(2)
		Expect(w.withRole("Admin")()).To(BeNumerically(">=", staff-freely))
		w.annotate(ctx, v1alpha1.ApproveDeprovisionAnnotation, w.heldToken(ctx))
		Eventually(w.withRole("User")).Should(Equal(staff))
		Eventually(w.readerOf(ctx, admins)).Should(beGone())
	})
})

// declareGroup creates a declared group; with an empty role it gives none. Names are in the order of creation, because of two groups
// created in the same second, the operator takes the first by name as the older one.
func (w *world) declareGroup(ctx context.Context, displayName string, role v1alpha1.Role, members ...string) *v1alpha1.LambdaTestGroup {
	GinkgoHelper()
	w.groups++
	group := &v1alpha1.LambdaTestGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: fmt.Sprintf("git-group-%d-%s", w.groups, w.Name)},
		Spec: v1alpha1.LambdaTestGroupSpec{
			OrganizationRef: v1alpha1.OrganizationReference{Name: w.Name},
			DisplayName:     displayName,
			Members:         members,
		},
	}
	if role != "" {
		group.Spec.Roles = []v1alpha1.Role{role}
	}
	return Applied(ctx, w.env.Client, group)
}

func (w *world) changeGroup(ctx context.Context, group *v1alpha1.LambdaTestGroup, change func(*v1alpha1.LambdaTestGroup)) {
	GinkgoHelper()
	Changed(ctx, w.env.Client, group, change)
}

// provisionGroup lets the identity provider create a group and returns its SCIM id.
func (w *world) provisionGroup(ctx context.Context, displayName, role string, members ...string) string {
	GinkgoHelper()
	body := attributes{"schemas": []string{groupSchema}, "displayName": displayName, groupExtension: attributes{"LambdatestRoles": []string{role}}}
	var list []attributes
	for _, member := range members {
		list = append(list, attributes{"value": member})
	}
	body["members"] = list
	return w.scim(ctx, http.MethodPost, "/Groups", body, http.StatusCreated)["id"].(string)
}

// groupResource returns a function for Eventually: a group's resource as it is now.
func (w *world) groupResource(ctx context.Context, name string) func() (*v1alpha1.LambdaTestGroup, error) {
	return func() (*v1alpha1.LambdaTestGroup, error) {
		group := &v1alpha1.LambdaTestGroup{}
		return group, w.env.Client.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, group)
	}
}

// group returns a function for Eventually: the group at LambdaTest.
func (w *world) group(displayName string) func() (simulator.Group, error) {
	return func() (simulator.Group, error) {
		group, found := w.LambdaTest.Group(displayName)
		if !found {
			return group, fmt.Errorf("LambdaTest has no group %s", displayName)
		}
		return group, nil
	}
}

// haveMembers matches a group with exactly these members, by userName.
func haveMembers(userNames ...string) OmegaMatcher {
	return HaveField("Members", WithTransform(func(members []simulator.Member) []string {
		names := []string{}
		for _, member := range members {
			names = append(names, member.UserName)
		}
		return names
	}, ConsistOf(userNames)))
}

// groupCalls counts the calls that write groups.
func (w *world) groupCalls() int {
	count := 0
	for _, route := range []string{createGroup, updateGroup, replaceGroup, deleteGroup} {
		count += w.LambdaTest.Count(route)
	}
	return count
}

// must returns the value; the spec fails on an error.
func must[T any](value T, err error) T {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	return value
}
