// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"cmp"
	"net/http"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/token"
)

// limitNames are the limits of spec.scim.limits, in the order of index.Usage.
var limitNames = [...]string{"people", "groups", "members", "bytes"}

// room is what an organization stores, and what it may store. It counts what the index has seen, so requests that are handled at the same
// time may exceed a limit by what each of them stores.
type room struct {
	server      *Server
	request     *request
	used, limit index.Usage
}

func (s *Server) roomOf(r *request) *room {
	l := r.organization().Spec.SCIM.Limits
	return &room{s, r, s.index.Usage(r.organizationKey()), index.Usage{
		cmp.Or(l.People, defaultPeople), cmp.Or(l.Groups, defaultGroups), cmp.Or(l.Members, defaultMembers), cmp.Or(l.Bytes, defaultBytes),
	}}
}

// take reserves what a resource takes after a change, or fails. What needs no more than before passes, so a full organization can be tidied up.
func (m *room) take(before, after index.Usage) error {
	for i, name := range limitNames {
		status, what := 0, ""
		switch grown := after[i] - before[i]; {
		case grown <= 0:
			continue
		case after[i] > m.limit[i]:
			status, what = http.StatusRequestEntityTooLarge, "the request alone needs more than this organization may store"
		case m.used[i]+grown > m.limit[i]:
			status, what = http.StatusInsufficientStorage, "this organization stores as much as it may"
		default:
			continue
		}
		full := problem.New(status, "", "%s, %d %s: delete what is not needed, or have spec.scim.limits.%s of LambdaTestOrganization %s raised",
			what, m.limit[i], name, name, m.request.organization().Name)
		m.server.report(m.request, token.LimitsReached, name, "The SCIM endpoint refused a request: "+full.Detail+".")
		return full
	}
	m.used.Add(1, after)
	m.used.Add(-1, before)
	return nil
}

func (m *room) takeUser(before, after *v1alpha1.LambdaTestUserSpec) error {
	return m.take(index.UsageOfUser(before), index.UsageOfUser(after))
}

func (m *room) takeGroup(before, after *v1alpha1.LambdaTestGroupSpec) error {
	return m.take(index.UsageOfGroup(before), index.UsageOfGroup(after))
}

// takeNew is take for a user who has no resource yet. A denial passes in a full organization, too, until a bound that only a stolen token
// reaches: it could fill the cluster with denials.
func (m *room) takeNew(post *claims.UserPost) error {
	if post.Denies {
		m.limit.Add(1, m.limit)
		m.limit.Add(1, index.Usage{spareDenials, 0, 0, spareDenials * denialBytes})
	}
	return m.take(index.Usage{}, index.UsageOfUser(&post.Spec))
}
