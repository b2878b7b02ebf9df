// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

const (
	// settleTime is the promised time until LambdaTest and resources agree after the last fault.
	settleTime = 60 * time.Second
	// settlePause is the precision of that measurement.
	settlePause = 500 * time.Millisecond
	// tellEvery is how often the program prints what it waits for.
	tellEvery = 10 * time.Second
)

// snapshot is the state of resources and LambdaTest at one time.
type snapshot struct {
	users    []v1alpha1.LambdaTestUser
	groups   []v1alpha1.LambdaTestGroup
	accounts map[string]simulator.Account // by organization and folded userName
	upstream map[string]simulator.Group   // by organization and folded displayName
}

func (r *run) snapshot(ctx context.Context) (*snapshot, error) {
	s := &snapshot{accounts: map[string]simulator.Account{}, upstream: map[string]simulator.Group{}}
	var users v1alpha1.LambdaTestUserList
	var groups v1alpha1.LambdaTestGroupList
	if err := r.env.Client.List(ctx, &users); err != nil {
		return nil, err
	}
	if err := r.env.Client.List(ctx, &groups); err != nil {
		return nil, err
	}
	s.users, s.groups = users.Items, groups.Items
	for _, t := range r.tenants {
		for _, account := range t.lambdaTest.Accounts() {
			s.accounts[t.name+"/"+v1alpha1.FoldUserName(account.UserName)] = account
		}
		for _, group := range t.lambdaTest.Groups() {
			s.upstream[t.name+"/"+v1alpha1.FoldDisplayName(group.DisplayName)] = group
		}
	}
	return s, nil
}

// settle waits until everything agrees, and returns the differences that remain after a minute.
func (r *run) settle(ctx context.Context) (took time.Duration, found []violation) {
	for told := tellEvery; ; {
		found = []violation{{Check: "settled", Detail: "the API server did not answer"}}
		if s, err := r.snapshot(ctx); err == nil {
			found = s.differences()
		}
		took = r.now() - r.chaosEnded
		if len(found) == 0 || took > settleTime || ctx.Err() != nil {
			return took, found
		}
		if took > told {
			told += tellEvery
			r.progress("%d things do not agree, among them %s: %s", len(found), found[0].Whom, found[0].Detail)
		}
		pause(ctx, settlePause)
	}
}

// differences are the differences between the claims and LambdaTest. They are computed from the promises, without code of the controllers.
func (s *snapshot) differences() []violation {
	var found []violation
	differ := func(whom, format string, args ...any) {
		found = append(found, violation{Check: "settled", Whom: whom, Detail: fmt.Sprintf(format, args...)})
	}
	people := s.people()
	for subject, person := range people {
		s.comparePerson(subject, person, differ)
	}
	for subject, account := range s.accounts {
		if people[subject] == nil && account.Active {
			differ(subject, "no resource claims the person, but the account is active")
		}
	}
	s.compareGroups(differ)
	slices.SortFunc(found, func(a, b violation) int { return cmp.Compare(a.Whom, b.Whom) })
	return found
}

// people are all claims by person, in order of precedence.
func (s *snapshot) people() map[string][]*v1alpha1.LambdaTestUser {
	people := map[string][]*v1alpha1.LambdaTestUser{}
	for i := range s.users {
		user := &s.users[i]
		subject := user.Spec.OrganizationRef.Name + "/" + v1alpha1.FoldUserName(user.Spec.UserName)
		people[subject] = append(people[subject], user)
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

type differ func(whom, format string, args ...any)

func (s *snapshot) comparePerson(subject string, person []*v1alpha1.LambdaTestUser, differ differ) {
	living, held := 0, false
	active, role := true, s.roleFromGroups(subject, person[0].Spec.UserName)
	for _, claim := range person {
		reason, explained := readiness(claim)
		held = held || isHeld(reason)
		if !explained {
			differ(subject, "%s is not ready and does not say why: %q", claim.Name, reason)
		}
		if !claim.DeletionTimestamp.IsZero() {
			if !isHeld(reason) {
				differ(subject, "%s is deleted and stays: %q", claim.Name, reason)
			}
			continue
		}
		living++
		active = active && !claim.IsDenial()
		role = cmp.Or(role, string(claim.Spec.Role))
	}
	account, there := s.accounts[subject]
	switch wanted := living > 0 && active; {
	case held && (living == 0 || wanted): // the guard keeps the account active that should be inactive, or inactive that should be active
	case wanted && !account.Active:
		differ(subject, "the account is not active and should be (there: %v)", there)
	case !wanted && account.Active:
		differ(subject, "the account is active and should not be")
	}
	if there && living > 0 && !held && role != "" && role != account.Role {
		differ(subject, "the role is %s and should be %s", account.Role, role)
	}
}

// isHeld reports whether a resource waits for an approval.
func isHeld(reason string) bool {
	return slices.Contains([]string{
		v1alpha1.DeprovisionHeldReason, v1alpha1.DemotionHeldReason, v1alpha1.ActivationHeldReason,
	}, reason)
}

// roleFromGroups is the highest of the roles that the person's groups give.
func (s *snapshot) roleFromGroups(subject, userName string) string {
	order := []string{"", string(v1alpha1.RoleGuest), string(v1alpha1.RoleUser), string(v1alpha1.RoleAdmin)}
	highest := 0
	for i := range s.groups {
		group := &s.groups[i]
		isMember := slices.ContainsFunc(group.Spec.Members, func(member string) bool {
			return v1alpha1.FoldUserName(member) == v1alpha1.FoldUserName(userName)
		})
		if group.Spec.OrganizationRef.Name != organizationOf(subject) || !isMember || !group.DeletionTimestamp.IsZero() {
			continue
		}
		for _, role := range group.Spec.Roles {
			highest = max(highest, slices.Index(order, string(role)))
		}
	}
	return order[highest]
}

// readiness is the reason of the Ready condition, and whether it explains the state to a reader.
func readiness(object interface {
	metav1.Object
	GetConditions() []metav1.Condition
}) (reason string, explained bool) {
	ready := meta.FindStatusCondition(object.GetConditions(), v1alpha1.ReadyCondition)
	if ready == nil || ready.ObservedGeneration != object.GetGeneration() {
		return "", false
	}
	passing := []string{
		v1alpha1.ProgressingReason, v1alpha1.RateLimitedReason, v1alpha1.UpstreamUnavailableReason, v1alpha1.UnauthorizedReason,
		v1alpha1.OrganizationNotReadyReason,
	}
	if ready.Reason == v1alpha1.DeniedButActiveReason { // passes by itself unless a person must act
		return ready.Reason, meta.IsStatusConditionTrue(object.GetConditions(), v1alpha1.StalledCondition)
	}
	return ready.Reason, ready.Status == metav1.ConditionTrue || ready.Message != "" && !slices.Contains(passing, ready.Reason)
}

func (s *snapshot) compareGroups(differ differ) {
	unclaimed := maps.Clone(s.upstream)
	for i := range s.groups {
		group := &s.groups[i]
		subject := group.Spec.OrganizationRef.Name + "/" + v1alpha1.FoldDisplayName(group.Spec.DisplayName)
		if reason, explained := readiness(group); !explained || !group.DeletionTimestamp.IsZero() {
			differ(subject, "group %s is not ready, or deleted and stays: %q", group.Name, reason)
			continue
		}
		upstream, there := s.upstream[subject]
		delete(unclaimed, subject)
		if want, have := s.membersOf(group), namesOf(upstream); !there || want != have {
			differ(subject, "LambdaTest has a group (%v) with members %q and should have %q", there, have, want)
		}
	}
	for subject := range unclaimed {
		differ(subject, "LambdaTest has a group that no resource claims")
	}
}

// membersOf are those of a group's members who have accounts.
func (s *snapshot) membersOf(group *v1alpha1.LambdaTestGroup) string {
	var names []string
	for _, userName := range group.Spec.Members {
		if folded := v1alpha1.FoldUserName(userName); s.accounts[group.Spec.OrganizationRef.Name+"/"+folded].ID != "" {
			names = append(names, folded)
		}
	}
	return setOf(names)
}

func namesOf(group simulator.Group) string {
	names := make([]string, len(group.Members))
	for i, member := range group.Members {
		names[i] = v1alpha1.FoldUserName(member.UserName)
	}
	return setOf(names)
}
