// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// usualBytes is what a user's JSON takes, more or less.
const usualBytes = 700

// listBody is the page that is being rendered.
type listBody struct {
	body  []byte
	items int
	total int
	next  string // cursor of the next page
	last  cursor // place of the last item
}

// pageReply answers with one collection, or with several as if they were one, in that order.
func pageReply(r *request, q listQuery, collections ...collection) (reply, error) {
	for _, c := range collections {
		q.list += c.resources.Endpoint + " "
	}
	q.list += q.filter
	var from cursor
	if q.hasCursor {
		var err error
		if from, err = readCursor(q.cursor, r.organizationKey(), q.list); err != nil {
			return reply{}, err
		}
	}
	matches, pins, err := compileFor(q.filter, collections)
	if err != nil {
		return reply{}, err
	}
	out := &listBody{}
	skip := q.start - 1
	for i, c := range collections {
		part := part{collection: c, number: i, query: q, projection: c.resources.Project(q.attributes, q.excluded), match: matches[i], pin: pins[i]}
		if q.hasCursor {
			err = part.follow(r.Context(), r, from, out)
		} else {
			err = part.count(r.Context(), &skip, out)
		}
		if err != nil {
			return reply{}, err
		}
	}
	return out.reply(q), nil
}

// pin is the id or UserName that a filter demands.
type pin struct{ name, value string }

// compileFor gives the filter its meaning for each collection. A type of which it names an attribute that the type does not have
// matches nothing, unless that is so for all types.
func compileFor(text string, collections []collection) ([]scim.Predicate, []pin, error) {
	matches, pins := make([]scim.Predicate, len(collections)), make([]pin, len(collections))
	if text == "" {
		return matches, pins, nil
	}
	parsed, err := filter.Parse(text)
	if err != nil {
		return nil, nil, err
	}
	understood := false
	for i, c := range collections {
		match, failed := c.resources.Match(parsed)
		if failed != nil {
			err = failed
			matches[i] = func(scim.Valuer) bool { return false }
			continue
		}
		understood = true
		matches[i] = match
		pins[i].name, pins[i].value = c.resources.PinnedBy(parsed)
	}
	if !understood {
		return nil, nil, err
	}
	return matches, pins, nil
}

// part is the part of one collection in a list.
type part struct {
	collection collection
	number     int
	query      listQuery
	projection scim.Projection
	match      scim.Predicate
	pin        pin
}

// count serves startIndex and count: skip is how many matches are still to be passed over.
func (p *part) count(ctx context.Context, skip *int, out *listBody) error {
	room := p.query.count - out.items
	if p.match == nil {
		some, total := p.collection.page(*skip, room)
		out.total += total
		out.body = slices.Grow(out.body, some.length*usualBytes)
		*skip = max(0, *skip-total)
		for i := range some.length {
			out.add(p.collection.resources, some.view(i), p.projection)
		}
		return nil
	}
	candidates, err := p.candidates(ctx)
	if err != nil {
		return err
	}
	for i := range candidates.length {
		v := candidates.view(i)
		if !p.match(v) {
			continue
		}
		out.total++
		if *skip > 0 {
			*skip--
		} else if out.items < p.query.count {
			out.add(p.collection.resources, v, p.projection)
		}
	}
	return nil
}

// candidates are all resources, or the one that the filter demands, read live.
func (p *part) candidates(ctx context.Context) (page, error) {
	if p.pin.name != "" {
		return p.collection.pinned(ctx, p.pin)
	}
	return p.collection.all(), nil
}

// follow serves a cursor: what stands after a position, whatever came or went before it.
func (p *part) follow(ctx context.Context, r *request, from cursor, out *listBody) error {
	if p.match == nil {
		p.followAll(r, from, out)
		return nil
	}
	candidates, err := p.candidates(ctx)
	if err != nil {
		return err
	}
	for i := range candidates.length {
		if !p.match(candidates.view(i)) {
			continue
		}
		out.total++
		if from.before(p.place(candidates, i)) {
			p.take(r, candidates, i, out)
		}
	}
	return nil
}

// followAll does so without a filter: one search for the position instead of a look at everybody.
func (p *part) followAll(r *request, from cursor, out *listBody) {
	room := p.query.count - out.items + 1 // one more tells whether there is a next page
	after := from.position
	switch {
	case from.collection < p.number:
		after = index.Position{Created: math.MinInt64}
	case from.collection > p.number:
		room = 0
	}
	some, total := p.collection.after(after, room)
	out.total += total
	out.body = slices.Grow(out.body, some.length*usualBytes)
	for i := range some.length {
		p.take(r, some, i, out)
	}
}

func (p *part) place(from page, i int) cursor {
	return cursor{collection: p.number, position: from.position(i)}
}

// take adds a resource to the page, or, once that is full, notes that there is a next one.
func (p *part) take(r *request, from page, i int, out *listBody) {
	if out.items == p.query.count {
		if out.next == "" && out.items > 0 {
			out.next = out.last.encode(r.organizationKey(), p.query.list)
		}
		return
	}
	out.add(p.collection.resources, from.view(i), p.projection)
	out.last = p.place(from, i)
}

func (o *listBody) add(t *scim.ResourceType, v scim.Valuer, p scim.Projection) {
	if o.items > 0 {
		o.body = append(o.body, ',')
	}
	o.items++
	o.body = appendView(o.body, t, v, p)
}

// reply is a ListResponse: totalResults counts all matches, itemsPerPage what is in this page.
func (o *listBody) reply(q listQuery) reply {
	head := fmt.Appendf(make([]byte, 0, 512), `{"schemas":[%q],"totalResults":%d,"itemsPerPage":%d,`, listSchema, o.total, o.items)
	switch {
	case !q.hasCursor:
		head = append(strconv.AppendInt(append(head, `"startIndex":`...), int64(q.start), 10), ',')
	case o.next != "":
		head = append(scim.AppendString(append(head, `"nextCursor":`...), o.next), ',')
	}
	return reply{status: http.StatusOK, prefix: append(head, `"Resources":[`...), body: append(o.body, ']', '}')}
}
