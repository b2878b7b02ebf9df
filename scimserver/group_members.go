// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// groupRules are the rules for groups of the request's organization. group is nil for a new one.
func (s *Server) groupRules(r *request, group *v1alpha1.LambdaTestGroup) claims.GroupRules {
	return claims.GroupRules{
		ID:               func(userName string) string { return s.idOf(r.organizationKey(), userName) },
		MaxRole:          r.organization().Spec.SCIM.MaxRole,
		CheckDisplayName: func(displayName string) error { return s.checkDisplayName(r, group, displayName) },
		UserNames:        func(ids []string) (map[string]string, error) { return s.userNames(r, ids) },
		Hidden:           func(ids []string) (map[string]bool, error) { return s.hiddenMembers(r, ids) },
	}
}

// userNames finds the people that SCIM knows by these ids.
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
	users, err := s.findUsers(r, unknown)
	if err != nil {
		return nil, err
	}
	for _, id := range unknown {
		user := users[id]
		if user == nil {
			return nil, problem.BadValue("members: there is no user with the id %q, so nothing of the request is applied: "+
				"assign the person to the application first, then push the group again", problem.Shorten(id))
		}
		found[id] = user.Spec.UserName
	}
	return found, nil
}

// findUsers asks the API server about users that the index does not have: another replica may have created them just now. It returns those whom
// the provider may see, by id. The users are listed by the label that has the end of their id, so that a large group costs few requests.
func (s *Server) findUsers(r *request, ids []string) (map[string]*v1alpha1.LambdaTestUser, error) {
	found := make(map[string]*v1alpha1.LambdaTestUser, len(ids))
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !idForm.MatchString(id) })
	for some := range slices.Chunk(ids, usersPerList) {
		people := make([]string, len(some))
		for i, id := range some {
			people[i] = strings.TrimPrefix(id, v1alpha1.SCIMNamePrefix)
		}
		chosen, err := labels.NewRequirement(v1alpha1.PersonLabel, selection.In, people)
		if err != nil {
			return nil, fmt.Errorf("choosing members: %w", err)
		}
		list := &v1alpha1.LambdaTestUserList{}
		if err := s.liveList(r.Context(), list, r.organizationKey().Namespace, labels.NewSelector().Add(*chosen)); err != nil {
			return nil, err
		}
		for i := range list.Items {
			if user := &list.Items[i]; ownsUser(r.organizationKey(), user) && index.IsVisibleUser(user) {
				found[user.Name] = user
			}
		}
	}
	return found, nil
}

// hiddenMembers finds the members that are not shown: the provider deleted the person, or their resource is gone. The index alone cannot
// tell: a user whom another replica has just created or revived would survive a replacement of the members.
func (s *Server) hiddenMembers(r *request, ids []string) (map[string]bool, error) {
	var notShown []string
	for _, id := range ids {
		if user := s.index.User(r.organizationKey(), id); user == nil || !index.IsVisibleUser(user) {
			notShown = append(notShown, id)
		}
	}
	found, err := s.findUsers(r, notShown)
	hidden := map[string]bool{}
	for _, id := range notShown {
		hidden[id] = found[id] == nil
	}
	return hidden, err
}

// memberViews shows groups with those members whom the provider may see, also where the index does not know them yet.
type memberViews struct {
	server  *Server
	request *request
	// found are the users whom the index does not know and who were looked up; nil are those whom the provider may not see.
	found map[string]*v1alpha1.LambdaTestUser
	// failed is why a view does not show all members.
	failed error
}

func (s *Server) membersFor(r *request) *memberViews {
	return &memberViews{server: s, request: r, found: map[string]*v1alpha1.LambdaTestUser{}}
}

func (m *memberViews) view(group *v1alpha1.LambdaTestGroup) *claims.GroupView {
	return &claims.GroupView{Group: group, Base: m.request.base, Members: m.of}
}

// of returns the members of a group whom the provider may see, in their order.
func (m *memberViews) of(group *v1alpha1.LambdaTestGroup) []claims.Member {
	members := make([]claims.Member, len(group.Spec.Members))
	var unknown []string
	for i, userName := range group.Spec.Members {
		members[i] = claims.Member{ID: m.server.idOf(m.request.organizationKey(), userName), UserName: userName}
		if _, asked := m.found[members[i].ID]; !asked && m.user(members[i].ID) == nil {
			unknown = append(unknown, members[i].ID)
		}
	}
	found, err := m.server.findUsers(m.request, unknown)
	if err != nil {
		m.failed = err
		return nil
	}
	for _, id := range unknown {
		m.found[id] = found[id]
	}
	return slices.DeleteFunc(members, func(member claims.Member) bool {
		user := cmp.Or(m.user(member.ID), m.found[member.ID])
		return user == nil || !index.IsVisibleUser(user)
	})
}

func (m *memberViews) user(id string) *v1alpha1.LambdaTestUser {
	return m.server.index.User(m.request.organizationKey(), id)
}

// groupReply shows a group. A 201 that cannot show it has no body (RFC 7644, section 3.3): the client would repeat what was done.
func (s *Server) groupReply(r *request, status int, group *v1alpha1.LambdaTestGroup) (reply, error) {
	members := s.membersFor(r)
	view := members.view(group)
	var err error
	if p, _ := r.projection(claims.GroupType); claims.GroupType.Shows(p, "members") {
		err = r.takeTurnFor(len(group.Spec.Members) * memberBytes)
	}
	if err == nil {
		answer := resourceReply(r, status, claims.GroupType, view)
		if err = members.failed; err == nil {
			return answer, nil
		}
	}
	if status != http.StatusCreated {
		return reply{}, err
	}
	location, _ := view.Value("meta.location").(string)
	return reply{status: status, header: http.Header{"Etag": {claims.ETag(group)}, "Location": {location}}}, nil
}

// leaveGroups takes a person out of all groups of the organization.
func (s *Server) leaveGroups(r *request, userName string) error {
	id := s.idOf(r.organizationKey(), userName)
	for _, group := range s.index.GroupsOf(r.organizationKey(), userName) {
		if _, _, err := s.submitGroup(r, group.Name, claims.RemoveMember(id)); err != nil && !isMissing(err) {
			return err
		}
	}
	return nil
}
