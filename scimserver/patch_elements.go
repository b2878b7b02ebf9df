// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"maps"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// What PATCH does to the elements of a multi-valued attribute.

// setMany adds elements, or replaces all of them.
func (a *attribute) setMany(current object, verb string, given []any) (object, error) {
	var before []any
	if verb == opAdd {
		before = current.list(a.name)
	}
	result := make([]any, len(before), len(before)+len(given))
	copy(result, before)
	for _, element := range given {
		if o, ok := element.(object); ok {
			element = o.assigned()
		}
		result = append(result, element)
	}
	return a.withElements(current, before, result)
}

// distinct drops elements that are there already. RFC 7644, section 3.5.2.1: a value that already exists is not added again; its
// other sub-attributes are updated.
func (a *attribute) distinct(list []any) []any {
	result := make([]any, 0, len(list))
	seen := make(map[any]int, len(list))
	for _, element := range list {
		key := a.identity(element)
		if i, exists := seen[key]; exists {
			result[i] = updated(result[i], element)
			continue
		}
		seen[key] = len(result)
		result = append(result, element)
	}
	return result
}

// updated is an element with the other sub-attributes of one that is the same.
func updated(old, given any) any {
	before, ok := old.(object)
	after, both := given.(object)
	if !ok || !both {
		return old
	}
	merged := maps.Clone(before)
	for name, value := range after {
		if name != "value" && name != "type" {
			merged[name] = value
		}
	}
	return merged
}

// identity is what makes two elements the same: the value, with the type where that is the client's to choose.
func (a *attribute) identity(element any) any {
	o, ok := element.(object)
	if !ok {
		return element
	}
	identity := [2]any{a.valueOf(o)}
	if sub := a.subAttribute("type"); sub != nil && sub.mutability == readWrite {
		identity[1] = strings.ToLower(o.text("type"))
	}
	return identity
}

// removeGiven removes the listed elements: what Entra ID means by Remove with a value.
func (a *attribute) removeGiven(current object, raw any) (object, error) {
	value, err := a.coerce(raw)
	if err != nil {
		return nil, err
	}
	given, _ := value.([]any)
	if len(given) == 0 {
		return current, nil
	}
	gone := make(map[any]bool, len(given))
	for _, element := range given {
		gone[a.valueOf(element)] = true
	}
	return a.keep(current, func(element any) bool { return !gone[a.valueOf(element)] })
}

// valueOf is the `value` of an element, by which removals go: providers leave out type and display.
func (a *attribute) valueOf(element any) any {
	o, ok := element.(object)
	if !ok {
		return element
	}
	if sub := a.subAttribute("value"); sub != nil {
		return sub.folded(o.text("value"))
	}
	return o.text("value")
}

func (a *attribute) keep(current object, stays func(any) bool) (object, error) {
	before := current.list(a.name)
	result := make([]any, 0, len(before))
	for _, element := range before {
		if stays(element) {
			result = append(result, element)
		}
	}
	return a.withElements(current, before, result)
}

// withElements stores the list, once no element is there twice and at most one is primary.
func (a *attribute) withElements(current object, before, after []any) (object, error) {
	after = a.distinct(after)
	if len(after) == 0 {
		return current.with(a.name, nil), nil
	}
	if sub := a.subAttribute("primary"); sub != nil {
		var err error
		if after, err = onePrimary(a, before, after); err != nil {
			return nil, err
		}
	}
	return current.with(a.name, after), nil
}

// onePrimary: RFC 7643, section 2.4: primary is true for one element at most. The one that was set last wins over the one before.
func onePrimary(a *attribute, before, after []any) ([]any, error) {
	old := map[any]bool{}
	for _, element := range before {
		if o, ok := element.(object); ok && o["primary"] == true {
			old[a.identity(o)] = true
		}
	}
	var earlier, fresh []int
	for i, element := range after {
		if o, ok := element.(object); ok && o["primary"] == true {
			if old[a.identity(o)] {
				earlier = append(earlier, i)
			} else {
				fresh = append(fresh, i)
			}
		}
	}
	if len(fresh) > 1 {
		return nil, problem.BadValue("%s: only one may be primary", a.path)
	}
	if len(fresh) == 0 || len(earlier) == 0 {
		return after, nil
	}
	result := append([]any(nil), after...)
	for _, i := range earlier {
		result[i] = after[i].(object).with("primary", nil)
	}
	return result, nil
}

// applyElements carries out an operation on chosen elements: members[value eq "x"], emails[type eq "work"].value, emails.type.
func (g target) applyElements(current object, verb string, raw any) (object, error) {
	a := g.attribute
	chosen := func(element any) bool {
		o, ok := element.(object)
		return ok && (g.filter == nil || g.filter(o))
	}
	if verb == opRemove && g.sub == nil {
		return a.keep(current, func(element any) bool { return !chosen(element) })
	}
	change, err := g.elementChange(verb, raw)
	if err != nil {
		return nil, err
	}
	before := current.list(a.name)
	after, matched := make([]any, 0, len(before)+1), false
	for _, element := range before {
		if !chosen(element) {
			after = append(after, element)
			continue
		}
		matched = true
		if changed := change(element.(object)); a.isWhole(changed) {
			after = append(after, changed)
		}
	}
	if matched || verb == opRemove {
		return a.withElements(current, before, after)
	}
	return g.createElement(current, verb, after, change)
}

// isWhole tells whether an element still has what an element needs.
func (a *attribute) isWhole(element object) bool {
	for _, sub := range a.sub {
		if sub.required && element[sub.name] == nil {
			return false
		}
	}
	return len(element) > 0
}

// elementChange returns what happens to one chosen element.
func (g target) elementChange(verb string, raw any) (func(object) object, error) {
	if g.sub != nil {
		if verb == opRemove {
			raw = nil
		}
		value, err := g.sub.coerce(raw)
		if g.sub.mutability == immutableOnce && err == nil {
			err = problem.Immutable("%s cannot change: add and remove elements instead", g.sub.path)
		}
		return func(element object) object { return element.with(g.sub.name, value) }, err
	}
	value, err := g.attribute.coerceOne(raw)
	if err != nil {
		return nil, err
	}
	given, _ := value.(object)
	if verb == opReplace {
		return func(object) object { return given.assigned() }, nil
	}
	return func(element object) object {
		merged, _ := g.attribute.mergeInto(element, given)
		return merged
	}, nil
}

// createElement adds the element that the filter describes: what Entra ID means by Add with a filter that matches nothing.
func (g target) createElement(current object, verb string, before []any, change func(object) object) (object, error) {
	if verb == opReplace && g.filter != nil {
		// RFC 7644, section 3.5.2.3
		return nil, problem.NoTarget("no element of %s matches the filter", g.attribute.path)
	}
	element := object{}
	if !g.attribute.describe(g.where, element) {
		return nil, problem.NoTarget("no element of %s matches the filter, and it does not say what a new one would be", g.attribute.path)
	}
	element = change(element)
	if !g.attribute.isWhole(element) {
		return current, nil
	}
	return g.attribute.setMany(current, opAdd, []any{element})
}

// describe collects the sub-attributes that a filter of eq and and demands.
func (a *attribute) describe(e filter.Expression, element object) bool {
	switch e := e.(type) {
	case nil:
		return true
	case *filter.Logical:
		return !e.Or && a.describe(e.Left, element) && a.describe(e.Right, element)
	case *filter.Comparison:
		sub := a.subAttribute(e.Path.Name)
		if sub == nil || e.Op != "eq" {
			return false
		}
		value, err := sub.coerce(e.Value)
		if err != nil || value == nil {
			return false
		}
		element[sub.name] = value
		return true
	default:
		return false
	}
}

// normalize drops duplicate elements and refuses two primary ones, as PATCH does.
func (t *resourceType) normalize(o object) (object, error) {
	for _, a := range t.attributes {
		list := o.list(a.name)
		if list == nil || a.mutability == readOnly {
			continue
		}
		var err error
		if o, err = a.setMany(o, opReplace, list); err != nil {
			return nil, err
		}
	}
	return o, nil
}
