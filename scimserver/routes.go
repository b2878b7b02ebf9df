// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// handler carries out one operation: a request in, an answer out.
type handler func(*request) (reply, error)

// route is a verb and a path below BasePath, in which {id} stands for one segment.
type route struct {
	pattern string
	handle  handler
}

// routes are all there are, as RFC 7644, sections 3.2 and 4, lists them.
func (s *Server) routes() []route {
	return []route{
		{"GET /Users", s.listUsers},
		{"POST /Users", s.createUser},
		{"POST /Users/.search", s.searchUsers},
		{"GET /Users/{id}", s.getUser},
		{"PUT /Users/{id}", s.replaceUser},
		{"PATCH /Users/{id}", s.patchUser},
		{"DELETE /Users/{id}", s.deleteUser},

		{"GET /Groups", s.listGroups},
		{"POST /Groups", unlessPaused(s.createGroup)},
		{"POST /Groups/.search", s.searchGroups},
		{"GET /Groups/{id}", s.getGroup},
		{"PUT /Groups/{id}", unlessPaused(s.replaceGroup)},
		{"PATCH /Groups/{id}", unlessPaused(s.patchGroup)},
		{"DELETE /Groups/{id}", unlessPaused(s.deleteGroup)},

		{"POST /.search", s.searchAll},

		{"GET /ServiceProviderConfig", s.serviceProviderConfig},
		{"GET /ResourceTypes", s.resourceTypes},
		{"GET /ResourceTypes/{id}", s.resourceType},
		{"GET /Schemas", s.schemas},
		{"GET /Schemas/{id}", s.schema},

		{"GET /Me", notImplemented("/Me")},
		{"POST /Me", notImplemented("/Me")},
		{"PUT /Me", notImplemented("/Me")},
		{"PATCH /Me", notImplemented("/Me")},
		{"DELETE /Me", notImplemented("/Me")},
		{"POST /Bulk", notImplemented("/Bulk")},
	}
}

// pausedFor is the answer to a write while the organization is paused; nil while it is not. A denial passes, and reads do, because
// providers read a user before they deny it.
func pausedFor(r *request) error {
	if !r.organization().Spec.SCIM.Paused {
		return nil
	}
	return problem.Later(http.StatusServiceUnavailable, pausedRetry,
		"provisioning is paused by spec.scim.paused of LambdaTestOrganization %s: only deactivations and deletions of users are taken; send this again later",
		r.organization().Name)
}

func unlessPaused(handle handler) handler {
	return func(r *request) (reply, error) {
		if err := pausedFor(r); err != nil {
			return reply{}, err
		}
		return handle(r)
	}
}

// notImplemented: RFC 7644, section 3.11: a provider that does not support /Me answers 501. A token here stands for an organization.
func notImplemented(what string) handler {
	return func(*request) (reply, error) {
		return reply{}, problem.New(http.StatusNotImplemented, "", "%s is not supported", what)
	}
}

// router finds routes. It is not a ServeMux, whose own answers (404, 405 and redirects to cleaned paths) are text, which makes a push
// from Okta fail until a person retries it.
type router struct{ paths []routedPath }

type routedPath struct {
	segments []string
	byVerb   map[string]handler
}

func newRouter(routes []route) *router {
	r := &router{}
	for _, route := range routes {
		verb, path, _ := strings.Cut(route.pattern, " ")
		r.at(strings.Split(path[1:], "/"))[verb] = route.handle
	}
	return r
}

func (r *router) at(segments []string) map[string]handler {
	for _, path := range r.paths {
		if slices.Equal(path.segments, segments) {
			return path.byVerb
		}
	}
	byVerb := map[string]handler{}
	r.paths = append(r.paths, routedPath{segments, byVerb})
	return byVerb
}

// find returns the operation of a request and notes its route and segment on it, or fails with 404 or 405.
func (r *router) find(q *request) (handler, error) {
	segments, ok := segmentsOf(q.URL)
	if !ok {
		return nil, noSuchPath()
	}
	for _, path := range r.paths { // a literal path stands before the one with {id}
		segment, matches := path.match(segments)
		if !matches {
			continue
		}
		q.segment, q.route = segment, "/"+strings.Join(path.segments, "/")
		verb := q.Method
		if verb == http.MethodHead {
			verb = http.MethodGet
		}
		if handle, ok := path.byVerb[verb]; ok {
			return handle, nil
		}
		return nil, wrongVerb(path.byVerb)
	}
	return nil, noSuchPath()
}

func (p routedPath) match(segments []string) (segment string, ok bool) {
	if len(segments) != len(p.segments) {
		return "", false
	}
	for i, wanted := range p.segments {
		switch {
		case wanted == "{id}":
			segment = segments[i]
		case !strings.EqualFold(wanted, segments[i]):
			return "", false
		}
	}
	return segment, true
}

func noSuchPath() error {
	return problem.New(http.StatusNotFound, "", "there is no such path: Users, Groups, ServiceProviderConfig, ResourceTypes and Schemas are below %s", BasePath)
}

func wrongVerb(byVerb map[string]handler) error {
	var allowed []string
	for verb := range byVerb {
		allowed = append(allowed, verb)
		if verb == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
	}
	slices.Sort(allowed)
	p := problem.New(http.StatusMethodNotAllowed, "", "this path allows %s", strings.Join(allowed, ", "))
	p.Header = http.Header{"Allow": {strings.Join(allowed, ", ")}}
	return p
}

// segmentsOf splits the path below BasePath. Slashes at the end are tolerated; an encoded slash is part of its segment; empty segments
// and dots lead nowhere, so that no two spellings of a path mean different things to a proxy and to this server.
func segmentsOf(u *url.URL) ([]string, bool) {
	below, ok := strings.CutPrefix(u.EscapedPath(), BasePath+"/")
	if !ok {
		return nil, false
	}
	segments := strings.Split(strings.TrimRight(below, "/"), "/")
	for i, escaped := range segments {
		segment, err := url.PathUnescape(escaped)
		if err != nil || segment == "" || segment == "." || segment == ".." || strings.ContainsAny(segment, "/\\\x00") {
			return nil, false
		}
		segments[i] = segment
	}
	return segments, true
}
