// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"fmt"
	"net/http"
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

// listReply answers a GET. "?cursor" without a value asks for the first page (RFC 9865, section 2).
func listReply(r *request, collections ...searchable) (reply, error) {
	given, err := r.query()
	if err != nil {
		return reply{}, err
	}
	for name := range r.URL.Query() {
		if strings.EqualFold(name, "cursor") && !given.Has("cursor") {
			given.Set("cursor", "")
		}
	}
	return pageReply(r, given, collections...)
}

// searchReply answers a POST to .search.
func (s *Server) searchReply(r *request, collections ...searchable) (reply, error) {
	body, err := r.json(s.limits.UserBodyBytes)
	if err != nil {
		return reply{}, err
	}
	given := url.Values{}
	for _, name := range []string{"filter", "cursor", "startIndex", "count", "attributes", "excludedAttributes"} {
		switch value, _ := scim.Lookup(body, name); value := value.(type) {
		case nil:
		case string:
			given.Set(strings.ToLower(name), value)
		case fmt.Stringer: // a number
			given.Set(strings.ToLower(name), value.String())
		case []any:
			for _, element := range value {
				text, _ := element.(string)
				given.Add(strings.ToLower(name), text)
			}
		default:
			return reply{}, problem.BadValue("%s must not be an object, true or false", name)
		}
	}
	return pageReply(r, given, collections...)
}

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

// queryOf reads parameters, whose names are in lower case.
func queryOf(given url.Values) (q listQuery, err error) {
	if len(given["filter"]) > 1 {
		return q, problem.BadFilter("there is more than one filter")
	}
	q = listQuery{
		attributes: commaSeparated(given["attributes"]),
		excluded:   commaSeparated(given["excludedattributes"]),
		filter:     given.Get("filter"),
		cursor:     given.Get("cursor"),
		hasCursor:  given.Has("cursor"),
	}
	if q.start, err = integer("startIndex", given.Get("startindex"), 1); err != nil {
		return q, err
	}
	q.count, err = integer("count", given.Get("count"), defaultPageSize)
	if q.hasCursor && (err != nil || q.count < 1) { // RFC 9865, section 2.1
		return q, problem.New(http.StatusBadRequest, problem.KindInvalidCount, "with a cursor, count must be an integer from 1 to %d", maxPageSize)
	}
	// RFC 7644, section 3.4.2.4: a start below 1 is 1, and a negative count is 0.
	q.start, q.count = max(1, q.start), min(max(0, q.count), maxPageSize)
	return q, err
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

// collection is all resources of one type that the provider may see, in order.
type collection[T metav1.Object] struct {
	resources *scim.ResourceType
	list      index.List[T]
	// view shows a resource; it is valid until the next one.
	view func(T) scim.Valuer
	// pinned reads the resource of that id or userName live.
	pinned func(context.Context, pin) (T, error)
	// members is how many members a resource has, for what it costs to show them.
	members func(T) int
	// incomplete is why the views so far do not show everything.
	incomplete func() error
}

func (s *Server) users(r *request) searchable {
	like, shown := s.viewUser(r, nil), &claims.UserView{}
	return collection[*v1alpha1.LambdaTestUser]{
		resources: claims.UserType,
		list:      s.index.Users(r.organizationKey()),
		view: func(user *v1alpha1.LambdaTestUser) scim.Valuer {
			*shown = *like
			shown.User = user
			return shown
		},
		pinned: func(ctx context.Context, p pin) (*v1alpha1.LambdaTestUser, error) {
			id := p.value
			if p.name == "userName" {
				id = s.idOf(r.organizationKey(), p.value)
			}
			return s.shownUser(ctx, r.organizationKey(), id)
		},
		members:    func(*v1alpha1.LambdaTestUser) int { return 0 },
		incomplete: func() error { return nil },
	}
}

func (s *Server) groups(r *request) searchable {
	members := s.membersFor(r)
	return collection[*v1alpha1.LambdaTestGroup]{
		resources: claims.GroupType,
		list:      s.index.Groups(r.organizationKey()),
		view:      func(group *v1alpha1.LambdaTestGroup) scim.Valuer { return members.view(group) },
		pinned: func(ctx context.Context, p pin) (*v1alpha1.LambdaTestGroup, error) {
			return s.shownGroup(ctx, r.organizationKey(), p.value)
		},
		members:    func(group *v1alpha1.LambdaTestGroup) int { return len(group.Spec.Members) },
		incomplete: func() error { return members.failed },
	}
}
