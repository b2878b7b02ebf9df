// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

const (
	listSchema   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	searchSchema = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
)

// listQuery is what a list is asked for: RFC 7644, section 3.4.2, and RFC 9865.
type listQuery struct {
	attributes []string
	excluded   []string
	filter     string
	start      int // 1 is the first
	count      int
	// cursor is the position after which to go on; hasCursor says that the client pages by cursor.
	cursor    string
	hasCursor bool
	// list names the list that a cursor belongs to: its collections and its filter.
	list string
}

// listUsers: RFC 7644, section 3.4.2.
func (s *Server) listUsers(r *request) (reply, error) { return listReply(r, s.users(r)) }

func (s *Server) listGroups(r *request) (reply, error) { return listReply(r, s.groups(r)) }

// searchUsers: RFC 7644, section 3.4.3.
func (s *Server) searchUsers(r *request) (reply, error) { return s.searchReply(r, s.users(r)) }

func (s *Server) searchGroups(r *request) (reply, error) { return s.searchReply(r, s.groups(r)) }

// searchAll searches users, then groups: RFC 7644, section 3.4.3, at the root.
func (s *Server) searchAll(r *request) (reply, error) {
	return s.searchReply(r, s.users(r), s.groups(r))
}

// listReply answers a GET.
func listReply(r *request, collections ...collection) (reply, error) {
	query, err := queryOf(r)
	if err != nil {
		return reply{}, err
	}
	return pageReply(r, query, collections...)
}

// searchReply answers a POST to .search.
func (s *Server) searchReply(r *request, collections ...collection) (reply, error) {
	query, err := s.searchOf(r)
	if err != nil {
		return reply{}, err
	}
	return pageReply(r, query, collections...)
}

// collection is all resources of one type that the provider may see, in order.
type collection struct {
	resources *scim.ResourceType
	// page returns count resources from the start-th (0 is the first), and the number of all.
	page func(start, count int) (page, int)
	// after does the same from a position on.
	after func(after index.Position, count int) (page, int)
	all   func() page
	// pinned reads the resource of that id or UserName live; without one the page is empty.
	pinned func(ctx context.Context, p pin) (page, error)
}

// page is some resources of a collection. view shows the i-th; what it returns is valid until the next call.
type page struct {
	length   int
	view     func(i int) scim.Valuer
	position func(i int) index.Position
}

func collectionOf[T metav1.Object](t *scim.ResourceType, resources index.List[T], show func([]T) page, pinned func(context.Context, pin) (page, error)) collection {
	return collection{
		resources: t,
		page: func(start, count int) (page, int) {
			some, total := resources.Page(start, count)
			return show(some), total
		},
		after: func(after index.Position, count int) (page, int) {
			some, total := resources.After(after, count)
			return show(some), total
		},
		all:    func() page { return show(resources.All()) },
		pinned: pinned,
	}
}

func pageOf[T metav1.Object](resources []T, view func(T) scim.Valuer) page {
	return page{
		length:   len(resources),
		view:     func(i int) scim.Valuer { return view(resources[i]) },
		position: func(i int) index.Position { return index.PositionOf(resources[i]) },
	}
}

func (s *Server) users(r *request) collection {
	show := func(users []*v1alpha1.LambdaTestUser, indexed bool) page {
		v := s.viewUser(r, nil)
		shown := s.viewOf(v, indexed)
		return pageOf(users, func(user *v1alpha1.LambdaTestUser) scim.Valuer { v.User = user; return shown })
	}
	all := func(users []*v1alpha1.LambdaTestUser) page { return show(users, true) }
	return collectionOf(claims.UserType, s.index.Users(r.organizationKey()), all, func(ctx context.Context, p pin) (page, error) {
		id := p.value
		if p.name == "userName" {
			id = s.idOf(r.organizationKey(), p.value)
		}
		user, indexed, err := s.shownUser(ctx, r.organizationKey(), id)
		if err != nil {
			return page{}, ignoreNotFound(err)
		}
		return show([]*v1alpha1.LambdaTestUser{user}, indexed), nil
	})
}

func (s *Server) groups(r *request) collection {
	show := func(groups []*v1alpha1.LambdaTestGroup) page {
		v := s.viewGroup(r, nil, s.indexedMembers(r))
		return pageOf(groups, func(group *v1alpha1.LambdaTestGroup) scim.Valuer { v.Group = group; return v })
	}
	return collectionOf(claims.GroupType, s.index.Groups(r.organizationKey()), show, func(ctx context.Context, p pin) (page, error) {
		group, err := s.shownGroup(ctx, r.organizationKey(), p.value)
		if err != nil {
			return page{}, ignoreNotFound(err)
		}
		return show([]*v1alpha1.LambdaTestGroup{group}), nil
	})
}

// queryOf reads a GET.
func queryOf(r *request) (listQuery, error) {
	given, err := r.query()
	if err != nil {
		return listQuery{}, err
	}
	if len(given["filter"]) > 1 {
		return listQuery{}, problem.BadFilter("there is more than one filter")
	}
	q := listQuery{
		attributes: commaSeparated(given["attributes"]),
		excluded:   commaSeparated(given["excludedattributes"]),
		filter:     given.Get("filter"),
		cursor:     given.Get("cursor"),
	}
	q.hasCursor = hasParameter(r.URL, "cursor")
	if q.start, err = integer("startIndex", given.Get("startindex"), 1); err != nil {
		return q, err
	}
	q.count, err = integer("count", given.Get("count"), defaultPageSize)
	return q.bounded(), err
}

// hasParameter: "?cursor" without a value asks for the first page (RFC 9865, section 2).
func hasParameter(u *url.URL, name string) bool {
	for given := range u.Query() {
		if strings.EqualFold(given, name) {
			return true
		}
	}
	return false
}

func integer(name, text string, absent int) (int, error) {
	if text == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, problem.BadValue("%s must be an integer", name)
	}
	return n, nil
}

// bounded: RFC 7644, section 3.4.2.4: a start below 1 is 1, and a negative count is 0.
func (q listQuery) bounded() listQuery {
	q.start = max(1, q.start)
	q.count = min(max(0, q.count), maxPageSize)
	return q
}

// searchOf reads a SearchRequest: RFC 7644, section 3.4.3.
func (s *Server) searchOf(r *request) (listQuery, error) {
	body, err := r.json(s.limits.UserBodyBytes)
	if err != nil {
		return listQuery{}, err
	}
	q := listQuery{}
	if q.filter, err = textField(body, "filter"); err != nil {
		return q, err
	}
	if q.cursor, err = textField(body, "cursor"); err != nil {
		return q, err
	}
	given, _ := scim.Lookup(body, "cursor")
	q.hasCursor = given != nil
	q.attributes, q.excluded = namesField(body, "attributes"), namesField(body, "excludedAttributes")
	if q.start, err = integerField(body, "startIndex", 1); err != nil {
		return q, err
	}
	q.count, err = integerField(body, "count", defaultPageSize)
	return q.bounded(), err
}

func textField(body map[string]any, name string) (string, error) {
	raw, _ := scim.Lookup(body, name)
	text, ok := raw.(string)
	if raw != nil && !ok {
		return "", problem.BadValue("%s must be a string", name)
	}
	return text, nil
}

func integerField(body map[string]any, name string, absent int) (int, error) {
	raw, _ := scim.Lookup(body, name)
	if raw == nil {
		return absent, nil
	}
	number, ok := raw.(interface{ String() string })
	if !ok {
		return 0, problem.BadValue("%s must be an integer", name)
	}
	return integer(name, number.String(), absent)
}

func namesField(body map[string]any, name string) []string {
	raw, _ := scim.Lookup(body, name)
	list, isList := raw.([]any)
	if !isList {
		list = []any{raw}
	}
	var names []string
	for _, element := range list {
		if text, ok := element.(string); ok {
			names = append(names, commaSeparated([]string{text})...)
		}
	}
	return names
}
