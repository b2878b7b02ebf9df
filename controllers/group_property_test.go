// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/group"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/groups"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// groupStory is what a run of the property declares, in which the controllers look at things whenever they like.
type groupStory struct {
	*world
	t      *rapid.T
	people []*v1alpha1.LambdaTestUser
	// resources are all that were ever created.
	resources []*v1alpha1.LambdaTestGroup
	deleted   int
}

var (
	storyNames  = rapid.SampledFrom([]string{"a", "A", "b", "c", "d"})
	storyPeople = []string{ada, grace, "lin@example.com"}
)

func (s *groupStory) members() []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(storyPeople), 0, len(storyPeople), rapid.ID).Draw(s.t, "members")
}

func (s *groupStory) roles() []v1alpha1.Role {
	return rapid.SampledFrom([][]v1alpha1.Role{nil, {v1alpha1.RoleAdmin}, {v1alpha1.RoleGuest}}).Draw(s.t, "roles")
}

// alive are the resources that nobody has deleted.
func (s *groupStory) alive(ctx context.Context) []*v1alpha1.LambdaTestGroup {
	GinkgoHelper()
	var alive []*v1alpha1.LambdaTestGroup
	for _, group := range s.resources {
		stored := &v1alpha1.LambdaTestGroup{}
		err := k8s.Get(ctx, client.ObjectKeyFromObject(group), stored)
		Expect(client.IgnoreNotFound(err)).To(Succeed())
		if err == nil && stored.DeletionTimestamp.IsZero() {
			alive = append(alive, stored)
		}
	}
	return alive
}

// declare changes what is declared, as one apply does.
func (s *groupStory) declare(ctx context.Context) {
	GinkgoHelper()
	for range rapid.IntRange(1, 4).Draw(s.t, "changes") {
		alive := s.alive(ctx)
		if len(alive) == 0 {
			s.create(ctx)
			continue
		}
		group := alive[rapid.IntRange(0, len(alive)-1).Draw(s.t, "group")]
		switch rapid.SampledFrom([]string{"create", "rename", "exchange", "exchange", "edit", "delete"}).Draw(s.t, "change") {
		case "create":
			if len(alive) < 4 {
				s.create(ctx)
			}
		case "rename":
			named(ctx, map[*v1alpha1.LambdaTestGroup]string{group: storyNames.Draw(s.t, "displayName")})
		case "exchange":
			order := rapid.Permutation(alive).Draw(s.t, "order")
			for i, other := range alive {
				named(ctx, map[*v1alpha1.LambdaTestGroup]string{order[i]: other.Spec.DisplayName})
			}
		case "edit":
			members, roles := s.members(), s.roles()
			Changed(ctx, k8s, group, func(g *v1alpha1.LambdaTestGroup) { g.Spec.Members, g.Spec.Roles = members, roles })
		case "delete":
			s.deleted++
			Deleted(ctx, k8s, group)
		}
	}
}

func (s *groupStory) create(ctx context.Context) {
	GinkgoHelper()
	group := MakeGroup(storyNames.Draw(s.t, "displayName")).Named(fmt.Sprintf("group-%d", len(s.resources))).
		Giving(s.roles()...).With(s.members()...).In(s.namespace).Obj()
	if rapid.Bool().Draw(s.t, "from SCIM") {
		group.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
	}
	s.resources = append(s.resources, Applied(ctx, k8s, group))
}

// look lets the controllers look at one group, a few times.
func (s *groupStory) look(ctx context.Context) {
	GinkgoHelper()
	if len(s.resources) == 0 {
		return
	}
	group := rapid.SampledFrom(s.resources).Draw(s.t, "looked at")
	for range rapid.IntRange(1, 2).Draw(s.t, "times") {
		s.grouped(ctx, group)
	}
}

// lead is a new leader, before or after its first sweep.
func (s *groupStory) lead(ctx context.Context) {
	GinkgoHelper()
	s.restart()
	s.connected(ctx, DefaultOrganization)
	if rapid.Bool().Draw(s.t, "compared") {
		s.wholeSweep(ctx)
	}
}

// round lets the controllers look at everything once, and people approve what the guard holds.
func (s *groupStory) round(ctx context.Context) {
	GinkgoHelper()
	s.clock.Advance(group.DuplicateGrace)
	organization := s.connected(ctx, DefaultOrganization)
	if guard := organization.Status.Guard; guard != nil && guard.Held != nil {
		s.decided(ctx, v1alpha1.ApproveDeprovisionAnnotation, guard.Held.Token)
	}
	s.wholeSweep(ctx)
	for _, group := range s.resources {
		_, err := s.groups.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(group)})
		Expect(err).NotTo(HaveOccurred())
	}
	s.wokenGroups(ctx)
	s.handleWoken(ctx)
}

// settle lets the controllers go on until LambdaTest and the resources are as declared, and stay so.
func (s *groupStory) settle(ctx context.Context) {
	GinkgoHelper()
	var wrong string
	for range 12 {
		before := s.upstream.Writes()
		s.round(ctx)
		if wrong = s.wrong(ctx); wrong == "" && s.upstream.Writes() == before {
			return
		}
	}
	if wrong == "" {
		wrong = "LambdaTest is written to for ever"
	}
	Fail(fmt.Sprintf("%s\nat LambdaTest: %+v\n%s", wrong, s.upstream.Groups(), s.described(ctx)))
}

func (s *groupStory) described(ctx context.Context) string {
	text := ""
	for _, group := range s.alive(ctx) {
		text += fmt.Sprintf("%s %q %v %v: id %q, %v\n", group.Name, group.Spec.DisplayName, group.Spec.Roles, group.Spec.Members, group.Status.GroupID, status.ReadyCondition(group))
	}
	return text
}

// wrong is what differs from what is declared, if anything.
func (s *groupStory) wrong(ctx context.Context) string {
	GinkgoHelper()
	alive, wanted, roles := s.alive(ctx), 0, map[string]v1alpha1.Role{}
	for _, group := range alive {
		family := slices.DeleteFunc(slices.Clone(alive), func(other *v1alpha1.LambdaTestGroup) bool { return claims.FamilyOf(other) != claims.FamilyOf(group) })
		if group.Status.GroupID != "" {
			wanted++
		}
		if wrong := s.wrongGroup(group, claims.LeaderOf(family)); wrong != "" {
			return group.Name + " " + wrong
		}
		if !claims.SameGroup(group, claims.LeaderOf(family)) {
			continue
		}
		for _, member := range group.Spec.Members {
			for _, role := range group.Spec.Roles {
				if role.Rank() > roles[member].Rank() {
					roles[member] = role
				}
			}
		}
	}
	if there := len(s.upstream.Groups()); there != wanted {
		return fmt.Sprintf("LambdaTest has %d groups, resources have %d", there, wanted)
	}
	for _, person := range s.people {
		want := person.Spec.Role
		if role, given := roles[person.Spec.UserName]; given {
			want = role
		}
		if got := s.account(person.Spec.UserName).Role; got != string(want) {
			return fmt.Sprintf("%s is %s, not %s", person.Spec.UserName, got, want)
		}
		if !status.IsReady(Fetched(ctx, k8s, person)) {
			return person.Spec.UserName + " is not ready"
		}
	}
	return ""
}

func (s *groupStory) wrongGroup(group, leader *v1alpha1.LambdaTestGroup) string {
	upstream := slices.Collect(func(yield func(int) bool) {
		for i, other := range s.upstream.Groups() {
			if other.ID == group.Status.GroupID && !yield(i) {
				return
			}
		}
	})
	if !claims.SameGroup(group, leader) {
		switch {
		case !status.HasReason(group, v1alpha1.DuplicateDisplayNameReason):
			return "does not say that it is a duplicate"
		case group.Status.GroupID == "":
			return ""
		case len(upstream) != 1:
			return "is a duplicate whose group is not there"
		}
		if aside := s.upstream.Groups()[upstream[0]]; aside.DisplayName != "lambdatest-operator: set aside "+aside.ID || len(aside.Roles) > 0 {
			return "is a duplicate whose group is not set aside"
		}
		return ""
	}
	if !status.IsReady(group) || len(upstream) != 1 {
		return "is not ready, or its group is not there"
	}
	there := s.upstream.Groups()[upstream[0]]
	if there.DisplayName != group.Spec.DisplayName || !slices.Equal(groups.Ordered(there.Roles), groups.RoleNames(group.Spec.Roles)) ||
		!slices.Equal(groups.Ordered(memberNames(there)), groups.Ordered(group.Spec.Members)) {
		return fmt.Sprintf("is %+v at LambdaTest", there)
	}
	return ""
}

// ids are the ids of the groups that are carried out.
func (s *groupStory) ids(ctx context.Context) map[string]string {
	GinkgoHelper()
	ids := map[string]string{}
	for _, group := range s.alive(ctx) {
		if status.IsReady(group) {
			ids[group.Name] = group.Status.GroupID
		}
	}
	return ids
}

// propertyTime is how long the property looks for faults: GROUP_PROPERTY_TIME=10m, with -rapid.checks=100000, looks longer.
func propertyTime() time.Duration {
	if long, err := time.ParseDuration(os.Getenv("GROUP_PROPERTY_TIME")); err == nil {
		return long
	}
	return 20 * time.Second
}

var _ = Describe("Whatever is declared, renamed and deleted, in whatever order it is looked at, by whichever leader:", Label("groups", "names", "property"), func() {
	It("LambdaTest ends with the declared groups, members and roles, and with nothing after everything was deleted", func(ctx SpecContext) {
		end, failed, runs := time.Now().Add(propertyTime()), false, 0
		rapid.Check(GinkgoT(), func(t *rapid.T) {
			if time.Now().After(end) && !failed {
				return
			}
			runs++
			if err := InterceptGomegaFailure(func() { tellGroupStory(ctx, t) }); err != nil {
				failed = true // from now on it is made shorter, which may take longer
				t.Fatal(err)
			}
		})
		AddReportEntry("stories", runs)
	})
})

func tellGroupStory(ctx context.Context, t *rapid.T) {
	GinkgoHelper()
	s := &groupStory{t: t, world: withOrganization(ctx, newWorld(ctx))}
	for i, userName := range storyPeople {
		role := []v1alpha1.Role{v1alpha1.RoleUser, v1alpha1.RoleGuest, v1alpha1.RoleAdmin}[i]
		s.people = append(s.people, s.settled(ctx, MakeUser(userName).Role(role)))
	}
	for range rapid.IntRange(1, 2).Draw(t, "chapters") {
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			rapid.SampledFrom([]func(context.Context){s.declare, s.declare, s.look, s.look, s.wokenGroups, s.lead}).Draw(t, "step")(ctx)
		}
		s.settle(ctx)
	}
	before := s.ids(ctx)
	s.exchange(ctx)
	s.settle(ctx)
	for name, id := range s.ids(ctx) {
		if earlier, carriedOut := before[name]; carriedOut {
			Expect(id).To(Equal(earlier), "a rename keeps the group of %s", name)
		}
	}
	for _, group := range s.alive(ctx) {
		Deleted(ctx, k8s, group)
	}
	s.settle(ctx)
	Expect(s.upstream.Groups()).To(BeEmpty())
	for _, group := range s.resources {
		Expect(Exists(ctx, k8s, group)).To(BeFalse())
	}
	Expect(s.upstream.Count("POST /Groups")).To(BeNumerically("<=", len(s.resources)))
	Expect(s.upstream.Count("DELETE /Groups/{id}")).To(BeNumerically("<=", len(s.resources)))
}

// exchange permutes the names of the groups that are carried out, in one apply, while they are looked at.
func (s *groupStory) exchange(ctx context.Context) {
	GinkgoHelper()
	alive := slices.DeleteFunc(s.alive(ctx), func(group *v1alpha1.LambdaTestGroup) bool { return !status.IsReady(group) })
	if len(alive) == 0 {
		return
	}
	order := rapid.Permutation(alive).Draw(s.t, "last order")
	for i, other := range alive {
		named(ctx, map[*v1alpha1.LambdaTestGroup]string{order[i]: other.Spec.DisplayName})
		if rapid.Bool().Draw(s.t, "looked at meanwhile") {
			s.look(ctx)
		}
	}
}
