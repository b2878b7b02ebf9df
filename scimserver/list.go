// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
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
}

// listUsers: RFC 7644, section 3.4.2.
func (s *Server) listUsers(r *request) (reply, error) {
	query, err := queryOf(r)
	if err != nil {
		return reply{}, err
	}
	return s.usersReply(r, query)
}

func (s *Server) searchUsers(r *request) (reply, error) {
	query, err := s.searchOf(r)
	if err != nil {
		return reply{}, err
	}
	return s.usersReply(r, query)
}

func (s *Server) listGroups(r *request) (reply, error) {
	query, err := queryOf(r)
	if err != nil {
		return reply{}, err
	}
	return s.groupsReply(r, query)
}

func (s *Server) searchGroups(r *request) (reply, error) {
	query, err := s.searchOf(r)
	if err != nil {
		return reply{}, err
	}
	return s.groupsReply(r, query)
}

// searchAll searches users, then groups: RFC 7644, section 3.4.3, at the root.
func (s *Server) searchAll(r *request) (reply, error) {
	query, err := s.searchOf(r)
	if err != nil {
		return reply{}, err
	}
	return listReply(r, query, s.userShelf(r), s.groupShelf(r))
}

func (s *Server) usersReply(r *request, query listQuery) (reply, error) {
	return listReply(r, query, s.userShelf(r))
}

func (s *Server) groupsReply(r *request, query listQuery) (reply, error) {
	return listReply(r, query, s.groupShelf(r))
}

// shelf is where the resources of one type stand, in order.
type shelf struct {
	resources *resourceType
	// slice returns count resources from the start-th (0 is the first), and the number of all.
	slice func(start, count int) (books, int)
	// after does the same from a position on.
	after func(after position, count int) (books, int)
	all   func() books
	// one reads the resource of that id or userName live, or returns nil.
	one func(ctx context.Context, name, value string) (books, error)
}

// books are resources of one type. view shows the i-th; what it returns is valid until the next call.
type books struct {
	length int
	view   func(i int) valuer
	object func(i int) metav1.Object
}

func (s *Server) userShelf(r *request) shelf {
	bind := func(users []*v1alpha1.LambdaTestUser, kept *renderings) books {
		v := s.viewUser(r, nil, kept)
		return books{
			length: len(users),
			view:   func(i int) valuer { v.user = users[i]; return v },
			object: func(i int) metav1.Object { return users[i] },
		}
	}
	return shelf{
		resources: userType,
		slice: func(start, count int) (books, int) {
			users, total := s.index.userPage(r.organizationKey(), start, count)
			return bind(users, s.index.rendered), total
		},
		after: func(after position, count int) (books, int) {
			users, total := s.index.usersAfter(r.organizationKey(), after, count)
			return bind(users, s.index.rendered), total
		},
		all: func() books { return bind(s.index.users(r.organizationKey()), s.index.rendered) },
		one: func(ctx context.Context, name, value string) (books, error) {
			if name == "userName" {
				value = v1alpha1.SCIMUserName(r.organization().Name, value)
			}
			user, kept, err := s.shownUser(ctx, r.organizationKey(), value)
			if err != nil {
				return books{}, ignoreProblem(err, http.StatusNotFound)
			}
			return bind([]*v1alpha1.LambdaTestUser{user}, kept), nil
		},
	}
}

func (s *Server) groupShelf(r *request) shelf {
	bind := func(groups []*v1alpha1.LambdaTestGroup) books {
		v := s.viewGroup(r, nil, s.indexedMembers(r))
		return books{
			length: len(groups),
			view:   func(i int) valuer { v.group = groups[i]; return v },
			object: func(i int) metav1.Object { return groups[i] },
		}
	}
	return shelf{
		resources: groupType,
		slice: func(start, count int) (books, int) {
			groups, total := s.index.groupPage(r.organizationKey(), start, count)
			return bind(groups), total
		},
		after: func(after position, count int) (books, int) {
			groups, total := s.index.groupsAfter(r.organizationKey(), after, count)
			return bind(groups), total
		},
		all: func() books { return bind(s.index.groups(r.organizationKey())) },
		one: func(ctx context.Context, _, id string) (books, error) {
			group, err := s.shownGroup(ctx, r.organizationKey(), id)
			if err != nil {
				return books{}, ignoreProblem(err, http.StatusNotFound)
			}
			return bind([]*v1alpha1.LambdaTestGroup{group}), nil
		},
	}
}

func ignoreProblem(err error, status int) error {
	var p *problem
	if errors.As(err, &p) && p.status == status {
		return nil
	}
	return err
}

// queryOf reads a GET.
func queryOf(r *request) (listQuery, error) {
	given, err := r.query()
	if err != nil {
		return listQuery{}, err
	}
	if len(given["filter"]) > 1 {
		return listQuery{}, badFilter("there is more than one filter")
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
func hasParameter(u *url.URL, name string) bool { return u.Query().Has(name) }

func integer(name, text string, absent int) (int, error) {
	if text == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, badValue("%s must be an integer", name)
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
	_, q.hasCursor = folding(body, "cursor")
	q.attributes, q.excluded = namesField(body, "attributes"), namesField(body, "excludedAttributes")
	if q.start, err = integerField(body, "startIndex", 1); err != nil {
		return q, err
	}
	q.count, err = integerField(body, "count", defaultPageSize)
	return q.bounded(), err
}

func textField(body map[string]any, name string) (string, error) {
	raw, _ := folding(body, name)
	text, ok := raw.(string)
	if raw != nil && !ok {
		return "", badValue("%s must be a string", name)
	}
	return text, nil
}

func integerField(body map[string]any, name string, absent int) (int, error) {
	raw, _ := folding(body, name)
	if raw == nil {
		return absent, nil
	}
	number, ok := raw.(interface{ String() string })
	if !ok {
		return 0, badValue("%s must be an integer", name)
	}
	return integer(name, number.String(), absent)
}

func namesField(body map[string]any, name string) []string {
	raw, _ := folding(body, name)
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
