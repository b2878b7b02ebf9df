// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// usualBytes is what a user's JSON takes, more or less.
const usualBytes = 700

// searchable is a collection, whatever its type.
type searchable interface {
	resourceType() *scim.ResourceType
	// addTo adds to a page what it has room for.
	addTo(p *page, part part) error
}

// part is what a list asks of one of its collections.
type part struct {
	number     int // of the collection
	projection scim.Projection
	match      scim.Predicate // nil without a filter
	pin        pin
}

// pin is the id or userName that a filter demands.
type pin struct{ name, value string }

// page is the part of a list that is in one answer.
type page struct {
	request *request
	query   listQuery
	// list names the list that a cursor belongs to: its collections and its filter.
	list string
	// after is where a page by cursor begins; skip is how many matches a page by number still passes over.
	after cursor
	skip  int

	body  []byte
	items int
	total int
	more  bool   // there is a next page
	last  cursor // place of the last item
}

// pageReply answers with one collection, or with several as if they were one, in that order.
func pageReply(r *request, given url.Values, collections ...searchable) (reply, error) {
	query, err := queryOf(given)
	if err != nil {
		return reply{}, err
	}
	p := &page{request: r, query: query, list: query.filter, skip: query.start - 1}
	types := make([]*scim.ResourceType, len(collections))
	for i, c := range collections {
		types[i] = c.resourceType()
		p.list = types[i].Endpoint + " " + p.list
	}
	if query.hasCursor {
		if p.after, err = readCursor(query.cursor, r.organizationKey(), p.list); err != nil {
			return reply{}, err
		}
	}
	parts, err := partsOf(query, types)
	if err != nil {
		return reply{}, err
	}
	for i, c := range collections {
		if err := c.addTo(p, parts[i]); err != nil {
			return reply{}, err
		}
	}
	return p.reply(), nil
}

// partsOf gives the query its meaning for each type. A name that only another type has is absent (RFC 7644, section 3.4.2.1).
func partsOf(q listQuery, types []*scim.ResourceType) ([]part, error) {
	parts := make([]part, len(types))
	for i, t := range types {
		parts[i] = part{number: i, projection: t.Project(q.attributes, q.excluded)}
		if q.filter == "" {
			continue
		}
		parsed, err := filter.Parse(q.filter)
		if err != nil {
			return nil, err
		}
		if parts[i].match, err = t.Match(parsed, types...); err != nil {
			return nil, err
		}
		parts[i].pin.name, parts[i].pin.value = t.PinnedBy(parsed)
	}
	return parts, nil
}

func (c collection[T]) resourceType() *scim.ResourceType { return c.resources }

func (c collection[T]) addTo(p *page, part part) error {
	candidates, err := c.candidates(p, part)
	if err != nil {
		return err
	}
	if part.match == nil {
		p.body = slices.Grow(p.body, len(candidates)*usualBytes)
	}
	showsMembers := c.resources.Shows(part.projection, "members")
	for _, resource := range candidates {
		if err := p.request.Context().Err(); err != nil { // the client is gone
			return err
		}
		view, members := c.view(resource), 0
		if part.match != nil {
			if !part.match(view) {
				continue
			}
			p.total++
		}
		if showsMembers {
			members = c.members(resource)
		}
		if place := (cursor{part.number, index.PositionOf(resource)}); p.wants(place) {
			if err := p.add(place, members, func(dst []byte) []byte { return c.resources.Append(dst, view, part.projection) }); err != nil {
				return err
			}
		}
	}
	return c.incomplete()
}

// candidates are the resources of the page and one more, which tells whether there is a next page. With a filter they are all resources, or the
// one that the filter demands, read live.
func (c collection[T]) candidates(p *page, part part) ([]T, error) {
	if part.pin.name != "" {
		resource, err := c.pinned(p.request.Context(), part.pin)
		if err != nil {
			return nil, ignoreNotFound(err)
		}
		return []T{resource}, nil
	}
	if part.match != nil {
		return c.list.All(), p.request.takeTurn()
	}
	var some []T
	var total int
	if room := p.query.count - p.items + 1; p.query.hasCursor {
		some, total = c.list.After(p.after.within(part.number), room)
	} else {
		some, total = c.list.Page(p.skip, room)
		p.skip = max(0, p.skip-total)
	}
	p.total += total
	return some, nil
}

// wants tells whether a match is for this page.
func (p *page) wants(at cursor) bool {
	switch {
	case p.query.hasCursor && !p.after.before(at):
		return false
	case p.skip > 0:
		p.skip--
		return false
	case p.items >= p.query.count, p.items > 0 && len(p.body) >= maxPageBytes:
		p.more = true
		return false
	default:
		return true
	}
}

func (p *page) add(place cursor, members int, render func([]byte) []byte) error {
	if err := p.request.takeTurnFor(len(p.body) + members*memberBytes); err != nil {
		return err
	}
	if p.items > 0 {
		p.body = append(p.body, ',')
	}
	p.body = render(p.body)
	p.items++
	p.last = place
	return nil
}

// reply is a ListResponse: totalResults counts all matches, itemsPerPage what is in this page.
func (p *page) reply() reply {
	head := fmt.Appendf(make([]byte, 0, 512), `{"schemas":[%q],"totalResults":%d,"itemsPerPage":%d,`, listSchema, p.total, p.items)
	switch {
	case !p.query.hasCursor:
		head = append(strconv.AppendInt(append(head, `"startIndex":`...), int64(p.query.start), 10), ',')
	case p.more:
		head = append(scim.AppendString(append(head, `"nextCursor":`...), p.last.encode(p.request.organizationKey(), p.list)), ',')
	}
	return reply{status: http.StatusOK, prefix: append(head, `"Resources":[`...), body: append(p.body, ']', '}')}
}
