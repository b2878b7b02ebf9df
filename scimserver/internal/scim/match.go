// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// Valuer gives the values of attributes by canonical path: a resource, or one element of a multi-valued attribute. The values are
// those of object, and nil for what is absent.
type Valuer interface{ Value(path string) any }

// Value returns the attribute of that name, or nil.
func (o Object) Value(path string) any { return o[path] }

// Elements are the values of a multi-valued complex attribute of a resource; what is changed by PATCH is []any of object instead.
type Elements []Valuer

// Predicate tells whether a resource, or an element, matches.
type Predicate func(Valuer) bool

// Match gives a parsed filter its meaning for a type of resource. A name that only another type of the search has is absent from the resources of
// this one (RFC 7644, section 3.4.2.1). A name that no schema has is an error, never a filter that matches all resources or none.
func (t *ResourceType) Match(e filter.Expression, searched ...*ResourceType) (Predicate, error) {
	return compile(e, func(c *filter.Comparison) (Predicate, error) {
		match, err := t.compare(c)
		if knower := t.knower(c.Path, searched); knower != nil {
			match = absent(c)
			_, err = knower.compare(c)
		}
		return match, err
	}, func(e *filter.Elements) (Predicate, error) {
		match, err := t.compareElements(e)
		if knower := t.knower(e.Path, searched); knower != nil {
			match = func(Valuer) bool { return false }
			_, err = knower.compareElements(e)
		}
		return match, err
	})
}

// knower returns the type that has a name that this one does not have, or nil.
func (t *ResourceType) knower(path filter.AttributePath, searched []*ResourceType) *ResourceType {
	if _, _, known := t.resolve(path); known {
		return nil
	}
	for _, other := range searched {
		if _, _, known := other.resolve(path); known {
			return other
		}
	}
	return nil
}

// compileElements does the same for a filter between brackets, whose names are sub-attributes.
func compileElements(a *Attribute, e filter.Expression) (Predicate, error) {
	onElement := func(c *filter.Comparison) (Predicate, error) {
		if sub := a.subAttribute(c.Path.Name); sub != nil && c.Path.URI == "" && c.Path.Sub == "" {
			return sub.matcher(c, sub.Name)
		}
		return nil, problem.BadFilter("%s has no sub-attribute %q", a.path, c.Path)
	}
	noNesting := func(e *filter.Elements) (Predicate, error) {
		return nil, problem.BadFilter("%s cannot have a filter within a filter", a.path)
	}
	return compile(e, onElement, noNesting)
}

func compile(e filter.Expression, onComparison func(*filter.Comparison) (Predicate, error), onElements func(*filter.Elements) (Predicate, error)) (Predicate, error) {
	switch e := e.(type) {
	case *filter.Comparison:
		return onComparison(e)
	case *filter.Elements:
		return onElements(e)
	case *filter.Not:
		inner, err := compile(e.Inner, onComparison, onElements)
		return func(v Valuer) bool { return !inner(v) }, err
	case *filter.Logical:
		left, err := compile(e.Left, onComparison, onElements)
		if err != nil {
			return nil, err
		}
		right, err := compile(e.Right, onComparison, onElements)
		if e.Or {
			return func(v Valuer) bool { return left(v) || right(v) }, err
		}
		return func(v Valuer) bool { return left(v) && right(v) }, err
	default:
		return nil, problem.BadFilter("the filter is empty")
	}
}

// compare compiles a comparison of an attribute of the resource.
func (t *ResourceType) compare(c *filter.Comparison) (Predicate, error) {
	a, sub, known := t.resolve(c.Path)
	switch {
	case !known:
		return nil, problem.BadFilter("no schema has an attribute %q", c.Path)
	case a == nil: // understood, and absent from every resource
		return absent(c), nil
	case a.MultiValued && a.DataType == TypeComplex:
		return a.anyElement(sub, c)
	case sub != nil:
		return sub.matcher(c, sub.path)
	default:
		return a.matcher(c, a.path)
	}
}

// absent is what a comparison says of an attribute without a value.
func absent(c *filter.Comparison) Predicate {
	result := c.Op == "ne" && c.Value != nil || c.Op == "eq" && c.Value == nil
	return func(Valuer) bool { return result }
}

// anyElement compiles emails.type eq "work", and emails eq "x", which means the value (RFC 7644, section 3.4.2.2).
func (a *Attribute) anyElement(sub *Attribute, c *filter.Comparison) (Predicate, error) {
	if sub == nil && c.Op == "pr" {
		return func(v Valuer) bool { return v.Value(a.path) != nil }, nil
	}
	if sub == nil {
		sub = a.subAttribute("value")
	}
	inner, err := sub.matcher(c, sub.Name)
	if err != nil {
		return nil, err
	}
	without := absent(c)
	return func(v Valuer) bool {
		value := v.Value(a.path)
		return value == nil && without(v) || anyOf(value, inner)
	}, nil
}

// compareElements compiles emails[type eq "work"] and emails[type eq "work"].value eq "x".
func (t *ResourceType) compareElements(e *filter.Elements) (Predicate, error) {
	a, sub, known := t.resolve(e.Path)
	if known && a == nil {
		return t.unstoredElements(e)
	}
	if !known || sub != nil || !a.MultiValued || a.DataType != TypeComplex {
		return nil, problem.BadFilter("%q has no elements to choose from", e.Path)
	}
	inner, err := compileElements(a, e.Inner)
	if err != nil {
		return nil, err
	}
	if e.Then != nil {
		then, err := compileElements(a, e.Then)
		if err != nil {
			return nil, err
		}
		chosen := inner
		inner = func(v Valuer) bool { return chosen(v) && then(v) }
	}
	return func(v Valuer) bool { return anyOf(v.Value(a.path), inner) }, nil
}

// unstoredElements matches nobody, and refuses what no schema knows like any other filter.
func (t *ResourceType) unstoredElements(e *filter.Elements) (Predicate, error) {
	onElement := func(c *filter.Comparison) (Predicate, error) {
		if !t.isUnstored(e.Path.Name, c.Path.Name) || c.Path.Sub != "" || c.Path.URI != "" {
			return nil, problem.BadFilter("%s has no sub-attribute %q", e.Path, c.Path)
		}
		return nil, nil
	}
	nested := func(*filter.Elements) (Predicate, error) {
		return nil, problem.BadFilter("%s cannot have a filter within a filter", e.Path)
	}
	if _, err := compile(e.Inner, onElement, nested); err != nil {
		return nil, err
	}
	return func(Valuer) bool { return false }, nil
}

func anyOf(value any, matches Predicate) bool {
	switch list := value.(type) {
	case Elements:
		return slices.ContainsFunc(list, matches)
	case []any:
		return slices.ContainsFunc(list, func(element any) bool {
			o, ok := element.(Object)
			return ok && matches(o)
		})
	default:
		return false
	}
}

// matcher compiles the comparison of a simple value that is found at path.
func (a *Attribute) matcher(c *filter.Comparison, path string) (Predicate, error) {
	if c.Op == "pr" {
		return func(v Valuer) bool { return v.Value(path) != nil }, nil
	}
	if a.DataType == TypeComplex {
		return nil, problem.BadFilter("%s is complex: compare one of its sub-attributes", a.path)
	}
	if c.Value == nil {
		return a.nullMatcher(c, path)
	}
	test, err := a.test(c)
	if err != nil {
		return nil, err
	}
	negate := c.Op == "ne"
	return func(v Valuer) bool {
		switch value := v.Value(path).(type) {
		case nil:
			return negate
		case []any: // one value is enough
			return slices.ContainsFunc(value, func(element any) bool { return test(element) != negate })
		default:
			return test(value) != negate
		}
	}, nil
}

// nullMatcher: null is the same as unassigned (RFC 7643, section 2.5).
func (a *Attribute) nullMatcher(c *filter.Comparison, path string) (Predicate, error) {
	switch c.Op {
	case "eq":
		return func(v Valuer) bool { return v.Value(path) == nil }, nil
	case "ne":
		return func(v Valuer) bool { return v.Value(path) != nil }, nil
	default:
		return nil, problem.BadFilter("%s cannot be compared with null by %s", a.path, c.Op)
	}
}

// test compiles the comparison of one present value. For ne it tests equality, which the caller negates.
func (a *Attribute) test(c *filter.Comparison) (func(any) bool, error) {
	switch a.DataType {
	case TypeBoolean:
		return a.boolTest(c)
	case TypeDateTime:
		return a.timeTest(c)
	default:
		return a.textTest(c)
	}
}

// boolTest: ordering booleans is an error (RFC 7644, table 3). "True" as a string is what some providers send.
func (a *Attribute) boolTest(c *filter.Comparison) (func(any) bool, error) {
	wanted, ok := Bool(c.Value)
	if !ok || c.Op != "eq" && c.Op != "ne" {
		return nil, problem.BadFilter("%s can only be compared by eq or ne with true or false", a.path)
	}
	return func(v any) bool { return v == wanted }, nil
}

func (a *Attribute) timeTest(c *filter.Comparison) (func(any) bool, error) {
	text, _ := c.Value.(string)
	wanted, err := time.Parse(time.RFC3339, text)
	switch c.Op {
	case "co", "sw", "ew":
		return a.textTest(c)
	}
	if err != nil {
		return nil, problem.BadFilter("%s must be compared with a time such as 2026-01-31T12:00:00Z", a.path)
	}
	return func(v any) bool {
		text, _ := v.(string)
		t, err := time.Parse(time.RFC3339, text)
		return err == nil && holds(t.Compare(wanted), c.Op)
	}, nil
}

func (a *Attribute) textTest(c *filter.Comparison) (func(any) bool, error) {
	wanted, ok := c.Value.(string)
	if number, isNumber := c.Value.(json.Number); isNumber { // an id of digits, sent without quotes
		wanted, ok = number.String(), true
	}
	if !ok {
		return nil, problem.BadFilter("%s is a string: the value belongs in double quotes", a.path)
	}
	wanted = a.folded(wanted)
	compare := textComparison(c.Op)
	return func(v any) bool {
		text, ok := v.(string)
		return ok && compare(a.folded(text), wanted)
	}, nil
}

func textComparison(op string) func(value, wanted string) bool {
	switch op {
	case "co":
		return strings.Contains
	case "sw":
		return strings.HasPrefix
	case "ew":
		return strings.HasSuffix
	case "eq", "ne":
		return func(value, wanted string) bool { return value == wanted }
	default:
		return func(value, wanted string) bool { return holds(strings.Compare(value, wanted), op) }
	}
}

// holds reads the result of a comparison: negative, zero or positive.
func holds(result int, op string) bool {
	switch op {
	case "gt":
		return result > 0
	case "ge":
		return result >= 0
	case "lt":
		return result < 0
	case "le":
		return result <= 0
	default: // eq, and ne before it is negated
		return result == 0
	}
}

// PinnedBy returns the value of userName, or of id, that a resource must have to match, when the filter says so: then one live read
// answers it. name is "userName" or "id"; without such a term it is empty.
func (t *ResourceType) PinnedBy(e filter.Expression) (name, value string) {
	switch e := e.(type) {
	case *filter.Logical:
		if e.Or {
			return "", ""
		}
		if name, value = t.PinnedBy(e.Left); name != "" {
			return name, value
		}
		return t.PinnedBy(e.Right)
	case *filter.Comparison:
		a, sub, _ := t.resolve(e.Path)
		text, isText := e.Value.(string)
		if isText && e.Op == "eq" && a != nil && sub == nil && (a.Name == "userName" || a.Name == "id") {
			return a.Name, text
		}
	}
	return "", ""
}
