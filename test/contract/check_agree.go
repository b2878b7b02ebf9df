// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

const (
	// settleTime is how long after a step resources and LambdaTest may differ: some sweeps, on a machine that plays all stories at once.
	settleTime = 25 * time.Second
	// settlePause is the pause between two comparisons.
	settlePause = 300 * time.Millisecond
)

// snapshot is the resources of a story.
type snapshot struct {
	users        []v1alpha1.LambdaTestUser
	groups       []v1alpha1.LambdaTestGroup
	organization v1alpha1.LambdaTestOrganization
}

func (s *story) snapshot(ctx context.Context) (*snapshot, error) {
	var users v1alpha1.LambdaTestUserList
	var groups v1alpha1.LambdaTestGroupList
	shot := &snapshot{}
	ours := []client.ListOption{client.InNamespace(environment.Namespace), client.MatchingFields{"spec.organizationRef.name": s.name()}}
	if err := s.run.env.Client.List(ctx, &users, ours...); err != nil {
		return nil, err
	}
	if err := s.run.env.Client.List(ctx, &groups, ours...); err != nil {
		return nil, err
	}
	shot.users, shot.groups = users.Items, groups.Items
	return shot, s.run.env.Client.Get(ctx, client.ObjectKey{Namespace: environment.Namespace, Name: s.name()}, &shot.organization)
}

// settle waits until resources and LambdaTest agree or say why not, and records the differences that stay. It does not wait for
// differences of earlier steps.
func (s *story) settle(ctx context.Context) {
	for deadline := time.Now().Add(settleTime); ; {
		shot, err := s.snapshot(ctx)
		if err == nil {
			found := slices.DeleteFunc(s.differences(shot), func(v violation) bool { return s.known[v.key()] })
			late := time.Now().After(deadline)
			if len(found) == 0 || late {
				s.checkWords(shot)
			}
			if late {
				for _, v := range found {
					s.violate(v.Promise, v.Whom, "%s", v.Detail)
				}
			}
			if len(found) == 0 || late {
				return
			}
		}
		if ctx.Err() != nil {
			return
		}
		pause(ctx, settlePause)
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// differ records a difference.
type differ func(promise, whom, format string, args ...any)

// differences are the differences between the claims and LambdaTest that no resource explains. They are computed from the promises,
// without code of the controllers.
func (s *story) differences(shot *snapshot) []violation {
	var found []violation
	differ := func(promise, whom, format string, args ...any) {
		whom = strings.ReplaceAll(whom, "@"+s.name()+".example.com", "")
		found = append(found, violation{Promise: promise, Whom: whom, Detail: fmt.Sprintf(format, args...)})
	}
	denied := 0
	claims := shot.claims()
	for _, folded := range sorted(s.people) {
		if s.comparePerson(shot, s.people[folded], claims[folded], differ) {
			denied++
		}
	}
	if counted := shot.organization.Status.PendingDenials; denied > 0 && (counted == nil || int(*counted) < denied) {
		differ("denied", "organization", "%d denied people are active, and status.pendingDenials does not count them", denied)
	}
	s.compareGroups(shot, differ)
	return found
}

// claims are the resources about each person, in order of precedence.
func (shot *snapshot) claims() map[string][]*v1alpha1.LambdaTestUser {
	people := map[string][]*v1alpha1.LambdaTestUser{}
	for i := range shot.users {
		user := &shot.users[i]
		folded := v1alpha1.FoldUserName(user.Spec.UserName)
		people[folded] = append(people[folded], user)
	}
	for _, claims := range people {
		slices.SortFunc(claims, func(a, b *v1alpha1.LambdaTestUser) int {
			return cmp.Or(
				strings.Compare(a.Labels[v1alpha1.SourceLabel], b.Labels[v1alpha1.SourceLabel]),
				a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
				strings.Compare(a.Name, b.Name))
		})
	}
	return people
}

// comparePerson compares the claims about a person with the account, and says whether the person is denied and can sign in.
func (s *story) comparePerson(shot *snapshot, p *person, claims []*v1alpha1.LambdaTestUser, differ differ) (deniedButActive bool) {
	account, moved, there := s.account(p.userName)
	living, active, explained, alarmed := 0, true, false, false
	role, concurrencyGroup := shot.role(s.name()+"/"+v1alpha1.FoldUserName(p.userName)), ""
	for _, claim := range claims {
		reason, wrong := p.standing(claim)
		if wrong != "" {
			differ("condition", p.userName, "%s %s", claim.Name, wrong)
		}
		explained = explained || p.mayBe[reason]
		alarmed = alarmed || reason == v1alpha1.DeniedButActiveReason
		if !claim.DeletionTimestamp.IsZero() {
			continue
		}
		living++
		active = active && !claim.IsDenial()
		concurrencyGroup = cmp.Or(concurrencyGroup, claim.Spec.ConcurrencyGroup)
	}
	switch {
	case living == 0 && there && account.Active && !p.orphan && !explained:
		differ("agree", p.userName, "no resource claims the person, and the account is active")
		return false
	case living == 0:
		return false
	case !active && there && account.Active:
		if !alarmed {
			differ("denied", p.userName, "the person is denied, the account is active, and no resource says DeniedButActive")
		}
		return true
	case explained:
	case active && !account.Active:
		differ("agree", p.userName, "the account is not active and should be (there: %t, moved: %t)", there, moved)
	case there && role != "" && role != account.Role:
		differ("agree", p.userName, "the role is %s and should be %s", account.Role, role)
	case there && !moved && concurrencyGroup != "" && concurrencyGroup != account.ConcurrencyGroup && s.sees(p):
		differ("agree", p.userName, "the concurrency group is %q and should be %q", account.ConcurrencyGroup, concurrencyGroup)
	}
	if there && role == "" && p.keeps != "" && p.keeps != cmp.Or(account.CustomRole, account.Role) {
		differ("keep", p.userName, "no claim sets a role, and it went from %s to %s", p.keeps, cmp.Or(account.CustomRole, account.Role))
	}
	return false
}

// sees says whether the operator can see the person's concurrency group.
func (s *story) sees(p *person) bool { return !p.unseen && (!p.hidden || s.shows()) }

// account finds an account in the organization, or in its sub-organization.
func (s *story) account(userName string) (account simulator.Account, moved, there bool) {
	if account, there = s.LambdaTest.Account(userName); !there {
		account, moved = s.europe.Account(userName)
	}
	return account, moved, there || moved
}

// standing is the reason of the Ready condition, and what is wrong with it.
func (p *person) standing(claim *v1alpha1.LambdaTestUser) (reason, wrong string) {
	ready := meta.FindStatusCondition(claim.Status.Conditions, v1alpha1.ReadyCondition)
	switch {
	case ready == nil:
		return "", "has no Ready condition"
	case ready.ObservedGeneration != claim.Generation:
		return "", "has a condition about an earlier generation"
	case p.mayBe[ready.Reason]:
		return ready.Reason, ""
	case !claim.DeletionTimestamp.IsZero():
		return ready.Reason, fmt.Sprintf("is deleted and stays: %s: %s", ready.Reason, ready.Message)
	case ready.Reason != v1alpha1.SyncedReason && ready.Reason != v1alpha1.DeniedByAnotherClaimReason:
		return ready.Reason, fmt.Sprintf("says %s: %s", ready.Reason, ready.Message)
	}
	return ready.Reason, ""
}

// role is the one that claims and groups ask for.
func (shot *snapshot) role(subject string) string {
	var claims, groups []promises.Version
	for i := range shot.users {
		claims = append(claims, promises.UserVersion(0, &shot.users[i], false))
	}
	for i := range shot.groups {
		groups = append(groups, promises.GroupVersion(0, &shot.groups[i], false))
	}
	return promises.Merge(subject, claims, groups).Role
}

func (s *story) compareGroups(shot *snapshot, differ differ) {
	unclaimed := map[string]bool{}
	for _, group := range s.LambdaTest.Groups() {
		unclaimed[v1alpha1.FoldDisplayName(group.DisplayName)] = true
	}
	for i := range shot.groups {
		group := &shot.groups[i]
		whom := "group " + group.Spec.DisplayName
		ready := meta.FindStatusCondition(group.Status.Conditions, v1alpha1.ReadyCondition)
		switch {
		case !group.DeletionTimestamp.IsZero():
			differ("condition", whom, "is deleted and stays: %s", conditionsOf(group))
		case ready == nil || ready.ObservedGeneration != group.Generation || ready.Status != metav1.ConditionTrue:
			differ("condition", whom, "is not ready: %s", conditionsOf(group))
		}
		upstream, there := s.LambdaTest.Group(group.Spec.DisplayName)
		delete(unclaimed, v1alpha1.FoldDisplayName(group.Spec.DisplayName))
		if want, have := s.membersOf(group), namesOf(upstream); !there || want != have {
			differ("agree", whom, "LambdaTest has it (%t) with the members %s and should have %s", there, have, want)
		}
		if want, have := fmt.Sprint(group.Spec.Roles), fmt.Sprint(upstream.Roles); want != have {
			differ("agree", whom, "LambdaTest has the roles %s and should have %s", have, want)
		}
	}
	for _, name := range sorted(unclaimed) {
		differ("agree", "group "+name, "LambdaTest has a group that no resource claims")
	}
}

// membersOf are those of a group's members who have accounts, also in the sub-organization: leaving the group would bring them back.
func (s *story) membersOf(group *v1alpha1.LambdaTestGroup) string {
	names := []string{}
	for _, userName := range group.Spec.Members {
		if _, _, there := s.account(userName); there {
			names = append(names, v1alpha1.FoldUserName(userName))
		}
	}
	slices.Sort(names)
	return fmt.Sprint(names)
}

func namesOf(group simulator.Group) string {
	names := make([]string, len(group.Members))
	for i, member := range group.Members {
		names[i] = v1alpha1.FoldUserName(member.UserName)
	}
	slices.Sort(names)
	return fmt.Sprint(names)
}
