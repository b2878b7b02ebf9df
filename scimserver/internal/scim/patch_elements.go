// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"maps"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// What PATCH does to the elements of a multi-valued attribute.

// setMany adds elements, or replaces all of them.
func (a *Attribute) setMany(current Object, verb string, given []any) (Object, error) {
	var before []any
	if verb == Add {
		before = current.List(a.Name)
	}
	added, _ := assigned(given).([]any)
	return a.withElements(current, before, slices.Concat(before, added))
}

// distinct drops elements that are there already. RFC 7644, section 3.5.2.1: a value that already exists is not added again; its
// other sub-attributes are updated.
func (a *Attribute) distinct(list []any) []any {
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
	before, ok := old.(Object)
	after, both := given.(Object)
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
func (a *Attribute) identity(element any) any {
	o, ok := element.(Object)
	if !ok {
		return element
	}
	identity := [2]any{a.valueOf(o)}
	if sub := a.subAttribute("type"); sub != nil && sub.Mutability == ReadWrite {
		identity[1] = strings.ToLower(o.Text("type"))
	}
	return identity
}

// removeGiven removes the listed elements: what Entra ID means by Remove with a value.
func (a *Attribute) removeGiven(current Object, raw any) (Object, error) {
	value, err := a.Coerce(raw)
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
	return a.drop(current, func(element any) bool { return gone[a.valueOf(element)] })
}

// valueOf is the `value` of an element, by which removals go: providers leave out type and display.
func (a *Attribute) valueOf(element any) any {
	o, ok := element.(Object)
	if !ok {
		return element
	}
	return a.subAttribute("value").folded(o.Text("value"))
}

func (a *Attribute) drop(current Object, goes func(any) bool) (Object, error) {
	before := current.List(a.Name)
	return a.withElements(current, before, slices.DeleteFunc(slices.Clone(before), goes))
}

// withElements stores the list, once no element is there twice and at most one is primary.
func (a *Attribute) withElements(current Object, before, after []any) (Object, error) {
	after = a.distinct(after)
	if len(after) > maxElements && len(after) > len(before) {
		return nil, problem.BadValue("%s has more than %d values", a.path, maxElements)
	}
	if len(after) == 0 {
		return current.With(a.Name, nil), nil
	}
	if sub := a.subAttribute("primary"); sub != nil {
		var err error
		if after, err = onePrimary(a, before, after); err != nil {
			return nil, err
		}
	}
	return current.With(a.Name, after), nil
}

// onePrimary: RFC 7643, section 2.4: primary is true for one element at most. The one that was set last wins over the one before.
func onePrimary(a *Attribute, before, after []any) ([]any, error) {
	isPrimary := func(element any) bool {
		o, ok := element.(Object)
		return ok && o["primary"] == true
	}
	old, fresh := map[any]bool{}, 0
	for _, element := range before {
		old[a.identity(element)] = isPrimary(element)
	}
	for _, element := range after {
		if isPrimary(element) && !old[a.identity(element)] {
			fresh++
		}
	}
	if fresh == 0 {
		return after, nil
	}
	if fresh > 1 {
		return nil, problem.BadValue("%s: only one may be primary", a.path)
	}
	result := slices.Clone(after)
	for i, element := range after {
		if isPrimary(element) && old[a.identity(element)] {
			result[i] = element.(Object).With("primary", nil)
		}
	}
	return result, nil
}

// applyElements carries out an operation on chosen elements: emails[type eq "work"], emails[type eq "work"].value, emails.type.
func (g Target) applyElements(current Object, o Operation) (Object, error) {
	a := g.Attribute
	chosen := func(element any) bool {
		o, ok := element.(Object)
		return ok && (g.filter == nil || g.filter(o))
	}
	if o.Verb == Remove && g.Sub == nil {
		return a.drop(current, chosen)
	}
	change, err := g.elementChange(o.Verb, o.Value)
	if err != nil {
		return nil, err
	}
	before := current.List(a.Name)
	after, matched := make([]any, 0, len(before)+1), false
	for _, element := range before {
		if !chosen(element) {
			after = append(after, element)
			continue
		}
		matched = true
		if changed := change(element.(Object)); a.hasRequired(changed) {
			after = append(after, changed)
		}
	}
	if matched || o.Verb == Remove {
		return a.withElements(current, before, after)
	}
	return g.createElement(current, o)
}

// hasRequired tells whether an element has all required sub-attributes.
func (a *Attribute) hasRequired(element Object) bool {
	for _, sub := range a.Sub {
		if sub.Required && element[sub.Name] == nil {
			return false
		}
	}
	return len(element) > 0
}

// elementChange returns what happens to one chosen element.
func (g Target) elementChange(verb string, raw any) (func(Object) Object, error) {
	if g.Sub != nil {
		if verb == Remove {
			raw = nil
		}
		value, err := g.Sub.Coerce(raw)
		return func(element Object) Object { return element.With(g.Sub.Name, value) }, err
	}
	value, err := g.Attribute.coerceOne(raw)
	if err != nil {
		return nil, err
	}
	given, _ := value.(Object)
	if verb == Replace {
		return func(Object) Object { return given.Assigned() }, nil
	}
	return func(element Object) Object {
		merged, _ := g.Attribute.mergeInto(element, given)
		return merged
	}, nil
}

// createElement adds the element that the filter describes: what Entra ID means by Add, or Replace, with a filter that matches nothing.
// RFC 7644, section 3.5.2.3, has noTarget for Replace, and so Entra would lose the whole PATCH in every cycle; only a filter that names one
// value is taken for a description there.
func (g Target) createElement(current Object, o Operation) (Object, error) {
	if _, isTerm := g.where.(*filter.Comparison); o.Verb == Replace && g.filter != nil && !isTerm {
		return nil, problem.NoTarget("no element of %s matches the filter", g.Attribute.path)
	}
	element := Object{}
	if !g.Attribute.describe(g.where, element) {
		return nil, problem.NoTarget("no element of %s matches the filter, and it does not say what a new one would be", g.Attribute.path)
	}
	change, err := g.elementChange(Add, o.Value)
	if err != nil {
		return nil, err
	}
	if element = change(element); !g.Attribute.hasRequired(element) {
		return current, nil
	}
	return g.Attribute.setMany(current, Add, []any{element})
}

// describe collects the sub-attributes that a filter of eq and and demands.
func (a *Attribute) describe(e filter.Expression, element Object) bool {
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
		value, err := sub.Coerce(e.Value)
		if err != nil || value == nil {
			return false
		}
		element[sub.Name] = value
		return true
	default:
		return false
	}
}

// Normalize drops duplicate elements and refuses two primary ones, as PATCH does.
func (t *ResourceType) Normalize(o Object) (Object, error) {
	for _, a := range t.Attributes {
		list := o.List(a.Name)
		if list == nil || a.Mutability == ReadOnly {
			continue
		}
		var err error
		if o, err = a.setMany(o, Replace, list); err != nil {
			return nil, err
		}
	}
	return o, nil
}
