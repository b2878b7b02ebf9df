// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// valuer gives the values of attributes by canonical path: a resource, or one element of a multi-valued attribute. The values are
// those of object, and nil for what is absent.
type valuer interface{ value(path string) any }

func (o object) value(path string) any { return o[path] }

// elements are the values of a multi-valued complex attribute of a resource; what is changed by PATCH is []any of object instead.
type elements []valuer

// predicate tells whether a resource, or an element, matches.
type predicate func(valuer) bool

// compileFilter gives a parsed filter its meaning for a type of resource. What no schema knows is an error, never a filter that
// matches everybody or nobody.
func compileFilter(t *resourceType, e expression) (predicate, error) {
	return compile(e, func(c *comparison) (predicate, error) { return t.compare(c) }, t.compareElements)
}

// compileElements does the same for a filter between brackets, whose names are sub-attributes.
func compileElements(a *attribute, e expression) (predicate, error) {
	onElement := func(c *comparison) (predicate, error) {
		if sub := a.subAttribute(c.path.name); sub != nil && c.path.uri == "" && c.path.sub == "" {
			return sub.matcher(c, sub.name)
		}
		return nil, problem.BadFilter("%s has no sub-attribute %q", a.path, c.path)
	}
	noNesting := func(e *elementFilter) (predicate, error) {
		return nil, problem.BadFilter("%s cannot have a filter within a filter", a.path)
	}
	return compile(e, onElement, noNesting)
}

func compile(e expression, onComparison func(*comparison) (predicate, error), onElements func(*elementFilter) (predicate, error)) (predicate, error) {
	switch e := e.(type) {
	case *comparison:
		return onComparison(e)
	case *elementFilter:
		return onElements(e)
	case *negation:
		inner, err := compile(e.inner, onComparison, onElements)
		return func(v valuer) bool { return !inner(v) }, err
	case *logical:
		left, err := compile(e.left, onComparison, onElements)
		if err != nil {
			return nil, err
		}
		right, err := compile(e.right, onComparison, onElements)
		if e.or {
			return func(v valuer) bool { return left(v) || right(v) }, err
		}
		return func(v valuer) bool { return left(v) && right(v) }, err
	default:
		return nil, problem.BadFilter("the filter is empty")
	}
}

// compare compiles a comparison of an attribute of the resource.
func (t *resourceType) compare(c *comparison) (predicate, error) {
	a, sub, known := t.resolve(c.path)
	switch {
	case !known:
		return nil, problem.BadFilter("no schema has an attribute %q", c.path)
	case a == nil: // understood, and absent from every resource
		return absent(c), nil
	case a.multiValued && a.dataType == typeComplex:
		return a.anyElement(sub, c)
	case sub != nil && sub.multiValued: // LambdatestRoles
		return sub.matcher(c, sub.path)
	case sub != nil:
		return sub.matcher(c, sub.path)
	default:
		return a.matcher(c, a.path)
	}
}

// absent is what a comparison says of an attribute without a value.
func absent(c *comparison) predicate {
	result := c.op == "ne" && c.value != nil || c.op == "eq" && c.value == nil
	return func(valuer) bool { return result }
}

// anyElement compiles emails.type eq "work", and emails eq "x", which means the value (RFC 7644, section 3.4.2.2).
func (a *attribute) anyElement(sub *attribute, c *comparison) (predicate, error) {
	if sub == nil && c.op == "pr" {
		return func(v valuer) bool { return v.value(a.path) != nil }, nil
	}
	if sub == nil {
		sub = a.subAttribute("value")
	}
	if c.op == "ne" { // not equal: no element is
		equal := *c
		equal.op = "eq"
		inner, err := a.anyElement(sub, &equal)
		return func(v valuer) bool { return !inner(v) }, err
	}
	inner, err := sub.matcher(c, sub.name)
	if err != nil {
		return nil, err
	}
	noneMatches := c.op == "eq" && c.value == nil
	return func(v valuer) bool {
		value := v.value(a.path)
		return noneMatches && value == nil || anyOf(value, inner)
	}, nil
}

// compareElements compiles emails[type eq "work"] and emails[type eq "work"].value eq "x".
func (t *resourceType) compareElements(e *elementFilter) (predicate, error) {
	a, sub, known := t.resolve(e.path)
	if known && a == nil {
		return t.unstoredElements(e)
	}
	if !known || sub != nil || !a.multiValued || a.dataType != typeComplex {
		return nil, problem.BadFilter("%q has no elements to choose from", e.path)
	}
	inner, err := compileElements(a, e.inner)
	if err != nil {
		return nil, err
	}
	if e.then != nil {
		then, err := compileElements(a, e.then)
		if err != nil {
			return nil, err
		}
		chosen := inner
		inner = func(v valuer) bool { return chosen(v) && then(v) }
	}
	return func(v valuer) bool { return anyOf(v.value(a.path), inner) }, nil
}

// unstoredElements matches nobody, and refuses what no schema knows like any other filter.
func (t *resourceType) unstoredElements(e *elementFilter) (predicate, error) {
	onElement := func(c *comparison) (predicate, error) {
		if !t.isUnstored(e.path.name, c.path.name) || c.path.sub != "" || c.path.uri != "" {
			return nil, problem.BadFilter("%s has no sub-attribute %q", e.path, c.path)
		}
		return nil, nil
	}
	nested := func(*elementFilter) (predicate, error) {
		return nil, problem.BadFilter("%s cannot have a filter within a filter", e.path)
	}
	if _, err := compile(e.inner, onElement, nested); err != nil {
		return nil, err
	}
	return func(valuer) bool { return false }, nil
}

func anyOf(value any, matches predicate) bool {
	switch list := value.(type) {
	case elements:
		return slices.ContainsFunc(list, matches)
	case []any:
		return slices.ContainsFunc(list, func(element any) bool {
			o, ok := element.(object)
			return ok && matches(o)
		})
	default:
		return false
	}
}

// matcher compiles the comparison of a simple value that is found at path.
func (a *attribute) matcher(c *comparison, path string) (predicate, error) {
	if c.op == "pr" {
		return func(v valuer) bool { return v.value(path) != nil }, nil
	}
	if a.dataType == typeComplex {
		return nil, problem.BadFilter("%s is complex: compare one of its sub-attributes", a.path)
	}
	if c.value == nil {
		return a.nullMatcher(c, path)
	}
	test, err := a.test(c)
	if err != nil {
		return nil, err
	}
	negate := c.op == "ne"
	return func(v valuer) bool { return anyValue(v.value(path), test) != negate }, nil
}

func anyValue(value any, test func(any) bool) bool {
	list, isList := value.([]any)
	if !isList {
		return value != nil && test(value)
	}
	for _, element := range list {
		if test(element) {
			return true
		}
	}
	return false
}

// nullMatcher: null is the same as unassigned (RFC 7643, section 2.5).
func (a *attribute) nullMatcher(c *comparison, path string) (predicate, error) {
	switch c.op {
	case "eq":
		return func(v valuer) bool { return v.value(path) == nil }, nil
	case "ne":
		return func(v valuer) bool { return v.value(path) != nil }, nil
	default:
		return nil, problem.BadFilter("%s cannot be compared with null by %s", a.path, c.op)
	}
}

// test compiles the comparison of one present value. For ne it tests equality, which the caller negates.
func (a *attribute) test(c *comparison) (func(any) bool, error) {
	switch a.dataType {
	case typeBoolean:
		return a.boolTest(c)
	case typeDateTime:
		return a.timeTest(c)
	default:
		return a.textTest(c)
	}
}

// boolTest: ordering booleans is an error (RFC 7644, table 3). "True" as a string is what some providers send.
func (a *attribute) boolTest(c *comparison) (func(any) bool, error) {
	wanted, ok := asBool(c.value)
	if !ok || c.op != "eq" && c.op != "ne" {
		return nil, problem.BadFilter("%s can only be compared by eq or ne with true or false", a.path)
	}
	return func(v any) bool { return v == wanted }, nil
}

func (a *attribute) timeTest(c *comparison) (func(any) bool, error) {
	text, _ := c.value.(string)
	wanted, err := time.Parse(time.RFC3339, text)
	switch c.op {
	case "co", "sw", "ew":
		return a.textTest(c)
	}
	if err != nil {
		return nil, problem.BadFilter("%s must be compared with a time such as 2026-01-31T12:00:00Z", a.path)
	}
	return func(v any) bool {
		text, _ := v.(string)
		t, err := time.Parse(time.RFC3339, text)
		return err == nil && holds(t.Compare(wanted), c.op)
	}, nil
}

func (a *attribute) textTest(c *comparison) (func(any) bool, error) {
	wanted, ok := c.value.(string)
	if number, isNumber := c.value.(json.Number); isNumber && !a.caseExact { // an id of digits, sent without quotes
		wanted, ok = number.String(), true
	}
	if !ok {
		return nil, problem.BadFilter("%s is a string: the value belongs in double quotes", a.path)
	}
	wanted = a.folded(wanted)
	compare := textComparison(c.op)
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

// pinnedBy returns the value of userName, or of id, that a resource must have to match, when the filter says so: then one live read
// answers it. name is "userName" or "id"; without such a term it is empty.
func pinnedBy(t *resourceType, e expression) (name, value string) {
	switch e := e.(type) {
	case *logical:
		if e.or {
			return "", ""
		}
		if name, value = pinnedBy(t, e.left); name != "" {
			return name, value
		}
		return pinnedBy(t, e.right)
	case *comparison:
		a, sub, _ := t.resolve(e.path)
		text, isText := e.value.(string)
		if isText && e.op == "eq" && a != nil && sub == nil && (a.name == "userName" || a.name == "id") {
			return a.name, text
		}
	}
	return "", ""
}
