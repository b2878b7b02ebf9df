// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"encoding/json"
	"net/http"
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

// list answers with one page of all. The cost depends only on the size of the page.
func list[T, W any](o *Org, in request, all []T, show func(T) W) (reply, error) {
	start, err := number(in.query, "startIndex", 1)
	if err != nil {
		return reply{}, err
	}
	count, err := number(in.query, "count", or(o.switches.PageSize, defaultPageSize))
	if err != nil {
		return reply{}, err
	}
	// RFC 7644, section 3.4.2.4: a startIndex below 1 means 1, a negative count means 0.
	start, count = max(start, 1), min(max(count, 0), or(o.switches.MaxPageSize, defaultMaxPageSize))
	page, total := o.page(len(all), start, count)
	resources := make([]W, 0, len(page))
	for _, place := range page {
		resources = append(resources, show(all[place]))
	}
	return reply{status: http.StatusOK, body: wireList[W]{
		Schemas:      []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"},
		TotalResults: total,
		StartIndex:   start,
		ItemsPerPage: count,
		Resources:    resources,
	}}, nil
}

// page returns which positions of a list are shown, and the total that the answer
// gives. Here the switches for wrong lists take effect.
func (o *Org) page(length, start, count int) (places []int, total int) {
	lies := o.switches
	if lies.TruncateLists > 0 {
		length = min(length, lies.TruncateLists)
	}
	if lies.RepeatPages && start <= length {
		start = 1
	}
	place := func(i int) int { return i }
	if lies.ShuffleLists {
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
