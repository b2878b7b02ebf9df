// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"maps"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// The verbs of RFC 7644, section 3.5.2, in lower case.
const (
	Add     = "add"
	Replace = "replace"
	Remove  = "remove"
)

// Operation is one operation of a PatchOp, as it was sent, its verb in lower case and its path without white space around it.
type Operation struct {
	Verb, Path string
	Value      any
	// HasValue tells a value of null from none.
	HasValue bool
	// Malformed, unless nil, says why this is no operation. It is not an error of ReadPatch, because a denial beside it must be found.
	Malformed error
}

// Sets tells whether the operation is well-formed and gives its attribute a value.
func (o Operation) Sets() bool { return o.Malformed == nil && (o.Verb == Add || o.Verb == Replace) }

// ReadPatch reads a PatchOp. A missing `schemas` is tolerated, and so is any case of the verbs and of the body's own keys. A list without
// operations changes nothing: Microsoft's validator sends one.
func ReadPatch(body map[string]any) ([]Operation, error) {
	raw, _ := Lookup(body, "operations")
	if single, ok := raw.(map[string]any); ok {
		raw = []any{single}
	}
	list, ok := raw.([]any)
	if !ok {
		return nil, problem.BadSyntax("Operations must be a list of operations")
	}
	if len(list) > maxOperations {
		return nil, problem.New(413, "", "a PATCH has at most %d operations", maxOperations)
	}
	operations := make([]Operation, 0, len(list))
	for i, raw := range list {
		operations = append(operations, readOperation(i, raw))
	}
	return operations, nil
}

func readOperation(i int, raw any) Operation {
	fields, ok := raw.(map[string]any)
	if !ok {
		return Operation{Malformed: problem.BadSyntax("Operations[%d] must be an object", i)}
	}
	verb, _ := Lookup(fields, "op")
	text, _ := verb.(string)
	o := Operation{Verb: strings.ToLower(strings.TrimSpace(text))}
	value, hasValue := Lookup(fields, "value")
	path, _ := Lookup(fields, "path")
	text, isText := path.(string)
	o.Value, o.HasValue, o.Path = value, hasValue, strings.TrimSpace(text)
	switch {
	case !isText && path != nil:
		o.Malformed = problem.BadPath("Operations[%d].path must be a string", i)
	case !hasValue && o.Sets():
		o.Malformed = problem.BadValue("Operations[%d] must have a value, because its op is %s", i, o.Verb)
	}
	return o
}

// Lookup looks a key up without regard to case; the exact spelling wins.
func Lookup(fields map[string]any, name string) (any, bool) {
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

// Patch applies the operations in order and returns the result. current is left as it is, and so is everything in it: on an error
// nothing has been applied (RFC 7644, section 3.5.2: "atomic").
func (t *ResourceType) Patch(current Object, operations []Operation) (Object, error) {
	result := current
	for i, o := range operations {
		var err error
		if result, err = t.Apply(result, i, o); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// Apply applies one operation, the i-th of its request, and returns the result. current is left as it is.
func (t *ResourceType) Apply(current Object, i int, o Operation) (Object, error) {
	switch {
	case o.Malformed != nil:
		return nil, o.Malformed
	case o.Verb != Remove && !o.Sets():
		return nil, problem.BadSyntax("Operations[%d].op must be add, replace or remove, not %q", i, problem.Shorten(o.Verb))
	}
	if o.Path == "" || strings.EqualFold(o.Path, t.Schema) {
		return t.applyAll(current, i, o)
	}
	target, err := t.Target(o.Path)
	if err != nil {
		return nil, err
	}
	return target.apply(current, o)
}

// applyAll carries out an operation without a path: its value is an object of attributes, whose keys may be dotted, URNs, or paths.
func (t *ResourceType) applyAll(current Object, i int, o Operation) (Object, error) {
	if o.Verb == Remove {
		return nil, problem.NoTarget("Operations[%d]: remove needs a path", i)
	}
	value := o.Value
	if list, ok := value.([]any); ok && len(list) == 1 {
		value = list[0]
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, problem.BadValue("Operations[%d].value must be an object of attributes, because the operation has no path", i)
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		for _, value := range Readings(fields[key]) {
			var err error
			if current, err = t.applyKey(current, i, key, Operation{Verb: o.Verb, Value: value, HasValue: true}); err != nil {
				return nil, err
			}
		}
	}
	return current, nil
}

func (t *ResourceType) applyKey(current Object, i int, key string, o Operation) (Object, error) {
	if strings.EqualFold(key, t.Schema) {
		return t.applyAll(current, i, o)
	}
	target, _ := t.Target(key) // a key that is no path names an unknown attribute
	return target.apply(current, o)
}

// apply changes one attribute.
func (g Target) apply(current Object, o Operation) (Object, error) {
	a := g.Attribute
	switch {
	case a == nil, a.Mutability == ReadOnly, g.Sub != nil && g.Sub.Mutability == ReadOnly:
		return current, nil
	case a.Mutability == Immutable:
		return current, g.keepImmutable(current, o)
	case a.Set:
		return current, g.applySet(current[a.Name].(Set), o)
	case a.MultiValued && (g.filter != nil || g.Sub != nil):
		return g.applyElements(current, o)
	case g.Sub != nil:
		return g.applySub(current, o)
	case o.Verb == Remove:
		return a.remove(current, o.Value)
	}
	value, err := a.Coerce(o.Value)
	if err != nil {
		return nil, err
	}
	return a.set(current, o.Verb, value)
}

// keepImmutable accepts the value that is already there.
func (g Target) keepImmutable(current Object, o Operation) error {
	value, err := g.Attribute.Coerce(o.Value)
	if err != nil {
		return err
	}
	text, _ := value.(string)
	if o.Verb == Remove || g.Attribute.folded(text) != g.Attribute.folded(current.Text(g.Attribute.Name)) {
		return problem.Immutable("%s", g.Attribute.WhyImmutable)
	}
	return nil
}

// set adds or replaces the whole attribute. value has been coerced.
func (a *Attribute) set(current Object, verb string, value any) (Object, error) {
	if value == nil {
		if verb == Add {
			return current, nil
		}
		return a.remove(current, nil)
	}
	if a.MultiValued {
		return a.setMany(current, verb, value.([]any))
	}
	if given, ok := value.(Object); ok {
		// RFC 7644, sections 3.5.2.1 and 3.5.2.3: the sub-attributes that are given; the others stay.
		return a.merge(current, given)
	}
	return current.With(a.Name, value), nil
}

func (a *Attribute) merge(current, given Object) (Object, error) {
	merged, err := a.mergeInto(current.Inner(a.Name), given)
	return current.With(a.Name, merged), err
}

func (a *Attribute) mergeInto(before, given Object) (Object, error) {
	merged := maps.Clone(before)
	if merged == nil {
		merged = Object{}
	}
	for name, value := range given {
		if value != nil {
			merged[name] = value
			continue
		}
		if sub := a.subAttribute(name); sub.Required && !a.MultiValued {
			return nil, problem.Immutable("%s is required and cannot be removed", sub.path)
		}
		delete(merged, name)
	}
	return merged, nil
}

func (a *Attribute) remove(current Object, raw any) (Object, error) {
	if a.MultiValued && raw != nil {
		return a.removeGiven(current, raw)
	}
	if a.Required {
		return nil, problem.Immutable("%s is required and cannot be removed", a.path)
	}
	return current.With(a.Name, nil), nil
}

// applySub changes a sub-attribute of a single complex attribute, such as name.givenName.
func (g Target) applySub(current Object, o Operation) (Object, error) {
	before := current.Inner(g.Attribute.Name)
	if before == nil {
		before = Object{}
	}
	if o.Verb != Remove && !g.Sub.MultiValued {
		value, err := g.Sub.Coerce(o.Value)
		if err != nil {
			return nil, err
		}
		if value == nil && o.Verb == Add {
			return current, nil
		}
		return g.Attribute.merge(current, Object{g.Sub.Name: value})
	}
	if o.Verb == Remove && g.Sub.Required {
		return nil, problem.Immutable("%s is required and cannot be removed", g.Sub.path)
	}
	inner, err := Target{Attribute: g.Sub}.apply(before, o)
	return current.With(g.Attribute.Name, inner), err
}

// With returns a copy with that value; nil removes it.
func (o Object) With(name string, value any) Object {
	if inner, ok := value.(Object); ok && len(inner) == 0 {
		value = nil
	}
	result := maps.Clone(o)
	if result == nil {
		result = Object{}
	}
	if value == nil {
		delete(result, name)
	} else {
		result[name] = value
	}
	return result
}
