// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// parallelReads is how many members are looked up at the API server at a time.
const parallelReads = 8

// GroupRules are the rules for groups of the request's organization. group is nil for a new one.
func (s *Server) groupRules(r *request, group *v1alpha1.LambdaTestGroup) claims.GroupRules {
	return claims.GroupRules{
		Organization: r.organization().Name,
		MaxRole:      r.organization().Spec.SCIM.MaxRole,
		CheckDisplayName: func(displayName string) error {
			other := s.index.GroupNamed(r.organizationKey(), displayName)
			if other == nil || group != nil && other.Name == group.Name {
				return nil
			}
			return s.noLongerNamed(r, other.Name, displayName)
		},
		UserNames: func(ids []string) (map[string]string, error) { return s.userNames(r, ids) },
	}
}

// noLongerNamed asks the API server whether a group that the index shows is there under that displayName: another replica may have
// deleted or renamed it just now, and then a POST succeeds at any moment.
func (s *Server) noLongerNamed(r *request, id, displayName string) error {
	group, err := s.liveGroup(r.Context(), r.organizationKey(), id)
	switch {
	case isMissing(err):
		return nil
	case err != nil:
		return err
	case v1alpha1.FoldDisplayName(group.Spec.DisplayName) == v1alpha1.FoldDisplayName(displayName):
		return problem.Taken("a group with this displayName exists")
	}
	return nil
}

// UserNames finds the people that SCIM knows by these ids: in the index, and where that has not got them (another replica may have
// created them just now) at the API server.
func (s *Server) userNames(r *request, ids []string) (map[string]string, error) {
	found := make(map[string]string, len(ids))
	var unknown []string
	for _, id := range ids {
		if user := s.index.User(r.organizationKey(), id); user != nil && index.IsVisibleUser(user) {
			found[id] = user.Spec.UserName
		} else {
			unknown = append(unknown, id)
		}
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(r.Context())
	group.SetLimit(parallelReads)
	for _, id := range unknown {
		group.Go(func() error {
			user, err := s.liveUser(ctx, r.organizationKey(), id)
			if err != nil {
				return unknownMember(err, id)
			}
			mu.Lock()
			defer mu.Unlock()
			found[id] = user.Spec.UserName
			return nil
		})
	}
	return found, group.Wait()
}

func unknownMember(err error, id string) error {
	if isMissing(err) {
		return problem.BadValue("members: there is no user with the id %q, so nothing of the request is applied: assign the person to the application first, then push the group again", problem.Shorten(id))
	}
	return err
}

// hiddenMember tells whether a member is not shown: the provider deleted the person, or their resource is gone. The index alone cannot
// tell: a user whom another replica has just created or revived would survive a replacement of the members.
func (s *Server) hiddenMember(r *request) func(id string) bool {
	return func(id string) bool {
		if user := s.index.User(r.organizationKey(), id); user != nil && index.IsVisibleUser(user) {
			return false
		}
		_, err := s.liveUser(r.Context(), r.organizationKey(), id)
		return isMissing(err)
	}
}

// indexedMembers returns the members that the index shows, for lists.
func (s *Server) indexedMembers(r *request) func(*v1alpha1.LambdaTestGroup) []claims.Member {
	return func(group *v1alpha1.LambdaTestGroup) []claims.Member {
		members, _ := s.splitMembers(r, group)
		return members
	}
}

// liveMembers does the same for one group, and asks the API server about members that the index does not know: another replica may
// have created them just now.
func (s *Server) liveMembers(r *request) func(*v1alpha1.LambdaTestGroup) []claims.Member {
	return func(group *v1alpha1.LambdaTestGroup) []claims.Member {
		members, unknown := s.splitMembers(r, group)
		if len(unknown) == 0 {
			return members
		}
		return append(members, s.lookUp(r, unknown[:min(len(unknown), memberChecks)])...)
	}
}

// splitMembers returns the visible members, and those about whom the index knows nothing.
func (s *Server) splitMembers(r *request, group *v1alpha1.LambdaTestGroup) (visible, unknown []claims.Member) {
	visible = make([]claims.Member, 0, len(group.Spec.Members))
	for _, userName := range group.Spec.Members {
		member := claims.Member{ID: v1alpha1.SCIMUserName(r.organization().Name, userName), UserName: userName}
		switch user := s.index.User(r.organizationKey(), member.ID); {
		case user == nil:
			unknown = append(unknown, member)
		case index.IsVisibleUser(user):
			visible = append(visible, member)
		}
	}
	return visible, unknown
}

func (s *Server) lookUp(r *request, members []claims.Member) []claims.Member {
	there := make([]bool, len(members))
	group, ctx := errgroup.WithContext(r.Context())
	group.SetLimit(parallelReads)
	for i, member := range members {
		group.Go(func() error {
			_, err := s.liveUser(ctx, r.organizationKey(), member.ID)
			there[i] = err == nil
			return nil
		})
	}
	_ = group.Wait() // the functions return no error: who cannot be found is not shown
	var found []claims.Member
	for i, member := range members {
		if there[i] {
			found = append(found, member)
		}
	}
	return found
}

// leaveGroups takes a person out of all groups of the organization.
func (s *Server) leaveGroups(r *request, userName string) error {
	id := v1alpha1.SCIMUserName(r.organization().Name, userName)
	for _, group := range s.index.GroupsOf(r.organizationKey(), userName) {
		if _, _, err := s.submitGroup(r, group.Name, claims.RemoveMember(id)); err != nil && !isMissing(err) {
			return err
		}
	}
	return nil
}
