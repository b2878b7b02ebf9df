// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Page is a part of a list. Its numbers are consistent. The caller must check
// whether all pages together are complete, because accounts may be added and
// removed between two calls.
type Page[T any] struct {
	Items []T
	// StartIndex is the position of the first item in the list, counted from 1.
	StartIndex int
	// Total is the length of the whole list, as LambdaTest counted it.
	Total int
}

// Next returns the start of the next page, and whether there is one.
func (p Page[T]) Next() (startIndex int, more bool) {
	next := p.StartIndex + len(p.Items)
	return next, next <= p.Total
}

// ListUsers reads one page of all accounts, including deactivated ones. The page
// has at most count items. It may have fewer, but is never empty while items are
// left.
func (c *Client) ListUsers(ctx context.Context, startIndex, count int) (Page[User], error) {
	return list(ctx, c, page("/Users", startIndex, count), wireUser.user, func(u User) string { return u.ID })
}

// FindUser finds an account by its userName, without regard to case, and reports
// whether there is one. For an address of another organization the error is
// IsRejected.
func (c *Client) FindUser(ctx context.Context, userName string) (User, bool, error) {
	req := search("/Users", "userName", userName)
	if err := checkUserName(req, userName); err != nil {
		return User{}, false, err
	}
	found, err := list(ctx, c, req, wireUser.user, func(u User) string { return u.ID })
	if err != nil {
		return User{}, false, err
	}
	return only(c, req, found, userName, func(u User) string { return u.UserName })
}

// ListGroups reads one page of all groups.
func (c *Client) ListGroups(ctx context.Context, startIndex, count int) (Page[Group], error) {
	return list(ctx, c, page("/Groups", startIndex, count), wireGroup.group, func(g Group) string { return g.ID })
}

// FindGroup finds a group by its displayName, without regard to case, and reports
// whether there is one.
func (c *Client) FindGroup(ctx context.Context, displayName string) (Group, bool, error) {
	req := search("/Groups", "displayName", displayName)
	if displayName == "" {
		return Group{}, false, invalid(req.name(), "the displayName is empty")
	}
	found, err := list(ctx, c, req, wireGroup.group, func(g Group) string { return g.ID })
	if err != nil {
		return Group{}, false, err
	}
	return only(c, req, found, displayName, func(g Group) string { return g.DisplayName })
}

// page is the call for one page. Encode sorts, so the query is always the same.
func page(route string, startIndex, count int) call {
	return call{method: http.MethodGet, route: route, query: url.Values{
		"startIndex": {strconv.Itoa(startIndex)},
		"count":      {strconv.Itoa(count)},
	}}
}

// search is a call with a filter: attribute eq value.
func search(route, attribute, value string) call {
	// A filter's value is a JSON string (RFC 7644, section 3.4.2.2).
	quoted, err := encode(value)
	if err != nil {
		quoted = []byte(strconv.Quote(value))
	}
	filter := attribute + " eq " + string(bytes.TrimSpace(quoted))
	return call{method: http.MethodGet, route: route, query: url.Values{"filter": {filter}}}
}

// wireList is RFC 7644, section 3.4.2, for users and for groups.
type wireList[W any] struct {
	TotalResults *int
	StartIndex   *int
	Resources    []W

	// most is how many items are decoded: more contradict what was asked.
	most int
}

// errTooMany is a list with more items than were asked for.
var errTooMany = errors.New("the page has more items than were asked for")

// decode implements streamed.
func (l *wireList[W]) decode(from *json.Decoder) error {
	return decodeFields(from, func(name string) error {
		switch {
		case strings.EqualFold(name, "totalResults"):
			return from.Decode(&l.TotalResults)
		case strings.EqualFold(name, "startIndex"):
			return from.Decode(&l.StartIndex)
		case strings.EqualFold(name, "Resources"):
			return l.decodeItems(from)
		}
		return from.Decode(&skipped{})
	})
}

func (l *wireList[W]) decodeItems(from *json.Decoder) error {
	l.Resources = nil
	start, err := from.Token()
	if start == nil || err != nil { // null is an empty list
		return err
	}
	if start != json.Delim('[') {
		return errors.New("a list was expected")
	}
	for from.More() {
		if len(l.Resources) == l.most {
			return errTooMany
		}
		var item W
		if err := from.Decode(&item); err != nil {
			return err
		}
		l.Resources = append(l.Resources, item)
	}
	return expect(from, ']')
}

// list makes a call that answers with a list, and checks it.
func list[W, T any](ctx context.Context, c *Client, req call, read func(W) (T, string), id func(T) string) (Page[T], error) {
	startIndex, count, err := bounds(req)
	if err != nil {
		return Page[T]{}, err
	}
	wire := wireList[W]{most: cmp.Or(count, 2)} // two are enough to see that a search found more than one
	if err := c.do(ctx, req, &wire); err != nil {
		return Page[T]{}, err
	}
	if wire.TotalResults == nil || *wire.TotalResults < 0 {
		// Something else answers: a list that counts nothing is no list of LambdaTest's.
		return Page[T]{}, c.malformed(req, http.StatusOK, "the answer is a list without totalResults")
	}
	if wrong := wire.contradiction(startIndex); wrong != "" {
		return Page[T]{}, c.contradicted(req, wrong)
	}
	items, wrong := readAll(wire.Resources, read, id)
	if wrong != "" {
		return Page[T]{}, c.contradicted(req, wrong)
	}
	return Page[T]{Items: items, StartIndex: startIndex, Total: *wire.TotalResults}, nil
}

// contradicted is the error of a list that contradicts itself or the request.
func (c *Client) contradicted(req call, wrong string) *Error {
	err := c.malformed(req, http.StatusOK, wrong)
	err.contradiction = true
	return err
}

// bounds returns which part the call asked for; a search asks for the first page.
func bounds(req call) (startIndex, count int, err error) {
	if req.query.Has("filter") {
		return 1, 0, nil
	}
	startIndex, _ = strconv.Atoi(req.query.Get("startIndex"))
	count, _ = strconv.Atoi(req.query.Get("count"))
	if startIndex < 1 || count < 1 {
		return 0, 0, invalid(req.name(), "startIndex and count begin at 1")
	}
	return startIndex, count, nil
}

// contradiction says how a list contradicts itself or the request, or "".
func (l wireList[W]) contradiction(startIndex int) string {
	size := len(l.Resources)
	switch {
	case *l.TotalResults > maxListItems:
		return fmt.Sprintf("the list has %d items, and at most %d are read", *l.TotalResults, maxListItems)
	case l.StartIndex != nil && *l.StartIndex != startIndex && size > 0:
		return fmt.Sprintf("the page starts at %d, not at %d as asked", *l.StartIndex, startIndex)
	case size > 0 && startIndex-1+size > *l.TotalResults:
		return fmt.Sprintf("the page ends at %d, past totalResults %d", startIndex-1+size, *l.TotalResults)
	case size == 0 && startIndex <= *l.TotalResults:
		return fmt.Sprintf("the page is empty, though totalResults is %d", *l.TotalResults)
	}
	return ""
}

func readAll[W, T any](wire []W, read func(W) (T, string), id func(T) string) ([]T, string) {
	items := make([]T, 0, len(wire))
	seen := make(map[string]struct{}, len(wire))
	for _, resource := range wire {
		item, wrong := read(resource)
		if wrong != "" {
			return nil, wrong
		}
		if _, twice := seen[id(item)]; twice {
			return nil, "the page shows an id twice"
		}
		seen[id(item)] = struct{}{}
		items = append(items, item)
	}
	return items, ""
}

// only returns the one item that a search found. An item that does not match
// means that the filter was not applied, so the answer cannot be trusted, or that
// LambdaTest takes the two names for the same.
func only[T any](c *Client, req call, found Page[T], name string, nameOf func(T) string) (T, bool, error) {
	var none T
	if found.Total > 1 || len(found.Items) > 1 {
		return none, false, c.malformed(req, http.StatusOK, "the search returned more than one result")
	}
	if len(found.Items) == 0 {
		return none, false, nil
	}
	if other := nameOf(found.Items[0]); !c.sameUserName(other, name) {
		return none, false, c.otherName(req, "the search returned another name than was searched for", name, other)
	}
	return found.Items[0], true, nil
}
