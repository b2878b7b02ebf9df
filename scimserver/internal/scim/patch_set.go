// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// IDs are the elements of a Set as a client names them.
type IDs []string

// Set is the value of an attribute of that kind while a PATCH is applied. Unlike other values it is changed in place, so each request
// needs one of its own. Nothing is looked up before all operations are applied.
type Set interface {
	Add(ids IDs)
	// Remove ignores ids that are not in the set.
	Remove(ids IDs)
	Replace(ids IDs)
	// RemoveWhere looks at every element, and fails when a request asks for that too often.
	RemoveWhere(matches Predicate) error
}

// applySet carries out an operation on a Set.
func (g Target) applySet(set Set, o Operation) error {
	switch {
	case g.Sub != nil:
		return problem.Immutable("%s cannot change: add and remove elements instead", g.Sub.path)
	case g.filter != nil && o.Verb == Remove:
		if ids, byID := namedIn(g.where); byID {
			set.Remove(ids)
			return nil
		}
		return set.RemoveWhere(g.filter)
	case o.Verb == Remove && !o.HasValue: // RFC 7644, section 3.5.2.2: all of them
		set.Replace(nil)
		return nil
	case o.Verb == Remove && o.Value == nil:
		return problem.BadValue("%s: null names no element to remove; an operation without a value removes all", g.Attribute.path)
	}
	value, err := g.Attribute.coerceIDs(o.Value)
	if err != nil {
		return err
	}
	ids, _ := value.(IDs)
	switch named, byID := namedIn(g.where); {
	case g.filter != nil && (!byID || !slices.Equal(named, ids)):
		return problem.Immutable("an element of %s cannot change: add and remove elements instead", g.Attribute.path)
	case o.Verb == Replace && g.filter == nil:
		set.Replace(ids)
	case o.Verb == Remove:
		set.Remove(ids)
	default:
		set.Add(ids)
	}
	return nil
}

// namedIn reads a filter that names elements by their values, such as value eq "a" or value eq "b", without looking at each element.
func namedIn(e filter.Expression) (IDs, bool) {
	switch e := e.(type) {
	case *filter.Logical:
		left, leftByID := namedIn(e.Left)
		right, rightByID := namedIn(e.Right)
		return append(left, right...), e.Or && leftByID && rightByID
	case *filter.Comparison:
		id, isText := e.Value.(string)
		return IDs{id}, isText && e.Op == "eq" && e.Path.URI == "" && strings.EqualFold(e.Path.Name, "value") && e.Path.Sub == ""
	default:
		return nil, false
	}
}

// coerceIDs reads what a body has for a Set. An empty list and null are no elements, on purpose; an element without a value is a mistake.
func (a *Attribute) coerceIDs(raw any) (any, error) {
	list, isList := raw.([]any)
	if !isList && raw != nil {
		list = []any{raw} // a single value where a list belongs
	}
	if len(list) == 0 {
		return nil, nil
	}
	ids := make(IDs, 0, len(list))
	for i, element := range list {
		id, isText := element.(string)
		if !isText && element != nil {
			value, err := a.coerceComplex(element)
			if err != nil {
				return nil, err
			}
			id = value.(Object).Text("value")
		}
		if id == "" {
			return nil, problem.BadValue("%s[%d] has no value: each element must have the id of a resource", a.path, i)
		}
		ids = append(ids, id)
	}
	return ids, nil
}
