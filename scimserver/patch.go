// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"maps"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// The verbs of RFC 7644, section 3.5.2, in lower case.
const (
	opAdd     = "add"
	opReplace = "replace"
	opRemove  = "remove"
)

// operation is one operation of a PatchOp, as it was sent, its verb in lower case.
type operation struct {
	verb  string
	path  string
	value any
}

// readPatch reads a PatchOp. A missing `schemas` is tolerated, and so is any case of the verbs and of the body's own keys.
func readPatch(body map[string]any) ([]operation, error) {
	raw, _ := folding(body, "operations")
	if single, ok := raw.(map[string]any); ok {
		raw = []any{single}
	}
	list, ok := raw.([]any)
	if !ok || len(list) == 0 {
		return nil, problem.BadSyntax("Operations must be a list with at least one operation")
	}
	if len(list) > maxOperations {
		return nil, problem.New(413, "", "a PATCH has at most %d operations", maxOperations)
	}
	operations := make([]operation, 0, len(list))
	for i, raw := range list {
		o, err := readOperation(i, raw)
		if err != nil {
			return nil, err
		}
		operations = append(operations, o)
	}
	return operations, nil
}

func readOperation(i int, raw any) (operation, error) {
	fields, ok := raw.(map[string]any)
	if !ok {
		return operation{}, problem.BadSyntax("Operations[%d] must be an object", i)
	}
	verb, _ := folding(fields, "op")
	text, _ := verb.(string)
	o := operation{verb: strings.ToLower(strings.TrimSpace(text))}
	o.value, _ = folding(fields, "value")
	path, _ := folding(fields, "path")
	if o.path, ok = path.(string); !ok && path != nil {
		return operation{}, problem.BadPath("Operations[%d].path must be a string", i)
	}
	return o, nil
}

// folding looks a key up without regard to case; the exact spelling wins.
func folding(fields map[string]any, name string) (any, bool) {
	if value, ok := fields[name]; ok {
		return value, true
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if strings.EqualFold(key, name) {
			return fields[key], true
		}
	}
	return nil, false
}

// patch applies the operations in order and returns the result. current is left as it is, and so is everything in it: on an error
// nothing has been applied (RFC 7644, section 3.5.2: "atomic").
func (t *resourceType) patch(current object, operations []operation) (object, error) {
	result := current
	for i, o := range operations {
		var err error
		if result, err = t.apply(result, i, o); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func (t *resourceType) apply(current object, i int, o operation) (object, error) {
	switch o.verb {
	case opAdd, opReplace, opRemove:
	default:
		return nil, problem.BadSyntax("Operations[%d].op must be add, replace or remove, not %q", i, problem.Shorten(o.verb))
	}
	if strings.TrimSpace(o.path) == "" {
		return t.applyAll(current, i, o)
	}
	if strings.EqualFold(o.path, t.schema) {
		o.path = ""
		return t.applyAll(current, i, o)
	}
	target, err := t.target(o.path)
	if err != nil {
		return nil, err
	}
	return target.apply(current, o.verb, o.value)
}

// applyAll carries out an operation without a path: its value is an object of attributes, whose keys may be dotted, URNs, or paths.
func (t *resourceType) applyAll(current object, i int, o operation) (object, error) {
	if o.verb == opRemove {
		return nil, problem.NoTarget("Operations[%d]: remove needs a path", i)
	}
	value := o.value
	if list, ok := value.([]any); ok && len(list) == 1 {
		value = list[0]
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, problem.BadValue("Operations[%d].value must be an object of attributes, because the operation has no path", i)
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		var err error
		if current, err = t.applyKey(current, i, o.verb, key, fields[key]); err != nil {
			return nil, err
		}
	}
	return current, nil
}

func (t *resourceType) applyKey(current object, i int, verb, key string, value any) (object, error) {
	if strings.EqualFold(key, t.schema) {
		return t.applyAll(current, i, operation{verb: verb, value: value})
	}
	return t.knownTarget(key).apply(current, verb, value)
}

// apply changes one attribute.
func (g target) apply(current object, verb string, raw any) (object, error) {
	a := g.attribute
	switch {
	case a == nil, a.mutability == readOnly, g.sub != nil && g.sub.mutability == readOnly:
		return current, nil
	case a.mutability == immutableOnce:
		return current, g.keepImmutable(current, verb, raw)
	case a.multiValued && (g.filter != nil || g.sub != nil):
		return g.applyElements(current, verb, raw)
	case g.sub != nil:
		return g.applySub(current, verb, raw)
	case verb == opRemove:
		return a.remove(current, raw)
	}
	value, err := a.coerce(raw)
	if err != nil {
		return nil, err
	}
	return a.set(current, verb, value)
}

// keepImmutable accepts the value that is already there.
func (g target) keepImmutable(current object, verb string, raw any) error {
	value, err := g.attribute.coerce(raw)
	if err != nil {
		return err
	}
	text, _ := value.(string)
	if verb == opRemove || g.attribute.folded(text) != g.attribute.folded(current.text(g.attribute.name)) {
		return problem.Immutable("%s", g.attribute.whyImmutable)
	}
	return nil
}

// set adds or replaces the whole attribute. value has been coerced.
func (a *attribute) set(current object, verb string, value any) (object, error) {
	if value == nil {
		if verb == opAdd {
			return current, nil
		}
		return a.remove(current, nil)
	}
	if a.multiValued {
		return a.setMany(current, verb, value.([]any))
	}
	if given, ok := value.(object); ok {
		// RFC 7644, sections 3.5.2.1 and 3.5.2.3: the sub-attributes that are given; the others stay.
		return a.merge(current, given)
	}
	return current.with(a.name, value), nil
}

func (a *attribute) merge(current, given object) (object, error) {
	merged, err := a.mergeInto(current.inner(a.name), given)
	return current.with(a.name, merged), err
}

func (a *attribute) mergeInto(before, given object) (object, error) {
	merged := maps.Clone(before)
	if merged == nil {
		merged = object{}
	}
	for name, value := range given {
		if value != nil {
			merged[name] = value
			continue
		}
		if sub := a.subAttribute(name); sub.required && !a.multiValued {
			return nil, problem.Immutable("%s is required and cannot be removed", sub.path)
		}
		delete(merged, name)
	}
	return merged, nil
}

func (a *attribute) remove(current object, raw any) (object, error) {
	if a.multiValued && raw != nil {
		return a.removeGiven(current, raw)
	}
	if a.required {
		return nil, problem.Immutable("%s is required and cannot be removed", a.path)
	}
	return current.with(a.name, nil), nil
}

// applySub changes a sub-attribute of a single complex attribute, such as name.givenName.
func (g target) applySub(current object, verb string, raw any) (object, error) {
	before := current.inner(g.attribute.name)
	if before == nil {
		before = object{}
	}
	if verb != opRemove && !g.sub.multiValued {
		value, err := g.sub.coerce(raw)
		if err != nil {
			return nil, err
		}
		if value == nil && verb == opAdd {
			return current, nil
		}
		return g.attribute.merge(current, object{g.sub.name: value})
	}
	if verb == opRemove && g.sub.required {
		return nil, problem.Immutable("%s is required and cannot be removed", g.sub.path)
	}
	inner, err := target{attribute: g.sub}.apply(before, verb, raw)
	return current.with(g.attribute.name, inner), err
}

// with returns a copy with that value; nil removes it.
func (o object) with(name string, value any) object {
	if inner, ok := value.(object); ok && len(inner) == 0 {
		value = nil
	}
	result := maps.Clone(o)
	if result == nil {
		result = object{}
	}
	if value == nil {
		delete(result, name)
	} else {
		result[name] = value
	}
	return result
}
