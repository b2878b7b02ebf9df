// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
)

type wireList[W any] struct {
	Schemas      []string `json:"schemas"`
	TotalResults int      `json:"totalResults"`
	StartIndex   int      `json:"startIndex"`
	ItemsPerPage int      `json:"itemsPerPage"`
	Resources    []W      `json:"Resources"`
}

// window is the part of a list that a call asks for.
type window struct{ start, count int }

func (o *Org) windowOf(in request) (window, error) {
	start, err := number(in.query, "startIndex", 1)
	if err != nil {
		return window{}, err
	}
	count, err := number(in.query, "count", or(o.switches.PageSize, defaultPageSize))
	if err != nil {
		return window{}, err
	}
	// RFC 7644, section 3.4.2.4: a startIndex below 1 means 1, a negative count means 0.
	return window{max(start, 1), min(max(count, 0), or(o.switches.MaxPageSize, defaultMaxPageSize))}, nil
}

// entry is a user or a group of a list.
type entry interface{ changeNumber() int }

func (a *account) changeNumber() int { return a.change }

func (g *group) changeNumber() int { return g.change }

// list shows one page of all. In the order of ids, the cost depends only on the
// size of the page.
func list[T entry, W any](o *Org, asked window, all []T, show func(T) W) wireList[W] {
	order := byID
	if len(all) > 1 {
		order = o.meets(orderOfLists)
	}
	if order == byChange {
		all = slices.Clone(all)
		slices.SortFunc(all, func(a, b T) int { return cmp.Compare(b.changeNumber(), a.changeNumber()) })
	}
	page, total := o.page(len(all), asked.start, asked.count, order == anotherAtEachCall)
	resources := make([]W, 0, len(page))
	for _, place := range page {
		resources = append(resources, show(all[place]))
	}
	return wireList[W]{
		Schemas:      []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"},
		TotalResults: total,
		StartIndex:   asked.start,
		ItemsPerPage: asked.count,
		Resources:    resources,
	}
}

// page returns which positions of a list are shown, and the total that the answer
// gives. Here the switches for wrong lists take effect.
func (o *Org) page(length, start, count int, shuffled bool) (places []int, total int) {
	lies := o.switches
	if lies.TruncateLists > 0 {
		length = min(length, lies.TruncateLists)
	}
	if lies.RepeatPages && start <= length {
		start = 1
	}
	place := func(i int) int { return i }
	if shuffled {
		order := o.random.Perm(length)
		place = func(i int) int { return order[i] }
	}
	for i := start - 1; i < min(start-1+count, length); i++ {
		places = append(places, place(i))
	}
	places = places[:max(len(places)-max(lies.GapsInPages, 0), 0)]
	return slices.Clip(places), max(length+lies.WrongTotals, 0)
}

// number reads a query parameter that is an integer.
func number(query url.Values, name string, absent int) (int, error) {
	if !query.Has(name) {
		return absent, nil
	}
	value, err := strconv.Atoi(query.Get(name))
	if err != nil {
		return 0, invalidValue(name + " is not an integer")
	}
	return value, nil
}

func or(value, absent int) int {
	if value > 0 {
		return value
	}
	return absent
}

var equality = regexp.MustCompile(`^([A-Za-z]+) eq ("(?:[^"\\]|\\.)*")$`)

// filtered reads the only filter that is supported: attribute eq "value".
func filtered(filter, attribute string) (string, error) {
	parts := equality.FindStringSubmatch(filter)
	var value string
	if parts == nil || parts[1] != attribute || json.Unmarshal([]byte(parts[2]), &value) != nil {
		return "", invalidFilter("the only filter is: " + attribute + ` eq "value"`)
	}
	return value, nil
}
