// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// Object holds attributes by their canonical names: string, bool, object, or []any of these. A stored object has no nil values; one
// that was read from a body has nil where the client sent null, "" or [], which RFC 7643, section 2.5, calls unassigned.
type Object map[string]any

// Decode decodes a body that must be one JSON object, and refuses what has too many elements or nests too deep before a decoder sees it.
func Decode(body []byte, maxElements int64) (map[string]any, error) {
	if elementCount(body) > maxElements {
		return nil, problem.New(http.StatusRequestEntityTooLarge, "", "the body has more than %d elements", maxElements)
	}
	if depth := nesting(body); depth > maxNesting {
		return nil, problem.BadSyntax("the body is nested deeper than %d levels", maxNesting)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value map[string]any
	if err := decoder.Decode(&value); err != nil {
		return nil, problem.BadSyntax("the body is not a JSON object: %s", jsonDetail(err))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, problem.BadSyntax("the body goes on after its JSON object")
	}
	if value == nil {
		return nil, problem.BadSyntax("the body is not a JSON object")
	}
	return value, nil
}

// jsonDetail does not repeat the body: it may hold a password.
func jsonDetail(err error) string {
	var syntax *json.SyntaxError
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("syntax error at byte %d", syntax.Offset)
	case errors.As(err, &wrongType):
		return "it is a JSON " + wrongType.Value
	default:
		return "it ends too early"
	}
}

// nesting returns how deep brackets nest outside of strings.
func nesting(body []byte) int {
	depth, deepest := 0, 0
	inString := false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// elementCount returns how many elements lists and objects have at the most, outside of strings.
func elementCount(body []byte) int64 {
	count := int64(0)
	inString := false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && (c == ',' || c == '{' || c == '['):
			count++
		}
	}
	return count
}

// Read turns the JSON of a whole resource into canonical attributes: any spelling, dotted and URN keys, unknown and read-only
// attributes left out, values coerced to their types.
func (t *ResourceType) Read(body map[string]any) (Object, error) {
	result := Object{}
	for _, key := range slices.Sorted(maps.Keys(body)) {
		if strings.EqualFold(key, t.Schema) {
			if nested, ok := body[key].(map[string]any); ok {
				inner, err := t.Read(nested)
				if err != nil {
					return nil, err
				}
				maps.Copy(result, inner)
			}
			continue
		}
		if err := t.readKey(result, key, body[key]); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func (t *ResourceType) readKey(result Object, key string, raw any) error {
	target := t.knownTarget(key)
	if target.Attribute == nil || target.filter != nil || target.Attribute.Mutability == ReadOnly {
		return nil // unknown, or not the client's to set
	}
	a, sub := target.Attribute, target.Sub
	if sub == nil {
		return assignOnce(result, a, key, raw)
	}
	if a.MultiValued {
		return nil
	}
	inner, _ := result[a.Name].(Object)
	if inner == nil {
		inner = Object{}
	}
	result[a.Name] = inner
	return assignOnce(inner, sub, key, raw)
}

func assignOnce(result Object, a *Attribute, key string, raw any) error {
	value, err := a.Coerce(raw)
	if err != nil {
		return err
	}
	before, given := result[a.Name]
	if earlier, isObject := before.(Object); isObject && a.DataType == TypeComplex && !a.MultiValued {
		later, _ := value.(Object)
		for name, v := range later {
			if old, twice := earlier[name]; twice && !reflect.DeepEqual(old, v) {
				return problem.BadValue("%s is given twice, with different values", a.path)
			}
			earlier[name] = v
		}
		return nil
	}
	if given && !reflect.DeepEqual(before, value) {
		return problem.BadValue("%s is given twice, with different values", a.path)
	}
	result[a.Name] = value
	return nil
}

// Coerce turns a decoded JSON value into the attribute's type: nil when unassigned.
func (a *Attribute) Coerce(raw any) (any, error) {
	if list, ok := raw.([]any); raw == nil || raw == "" || ok && len(list) == 0 {
		return nil, nil
	}
	if a.MultiValued {
		return a.coerceMany(raw)
	}
	return a.coerceOne(raw)
}

func (a *Attribute) coerceMany(raw any) (any, error) {
	list, ok := raw.([]any)
	if !ok {
		list = []any{raw} // a single value where a list belongs
	}
	var result []any
	for _, element := range list {
		if element == nil || element == "" {
			continue
		}
		if text, ok := element.(string); ok && a.DataType == TypeComplex {
			element = map[string]any{"value": text}
		}
		value, err := a.coerceOne(element)
		if err != nil {
			return nil, err
		}
		if o, ok := value.(Object); ok && o.isEmpty() {
			continue
		}
		result = append(result, value)
	}
	if len(result) == 0 {
		return nil, nil
	}
	return result, nil
}

func (a *Attribute) coerceOne(raw any) (any, error) {
	switch a.DataType {
	case TypeComplex:
		return a.coerceComplex(raw)
	case TypeBoolean:
		if b, ok := Bool(raw); ok {
			return b, nil
		}
		return nil, problem.BadValue("%s must be true or false", a.path)
	default:
		return a.coerceText(raw)
	}
}

func (a *Attribute) coerceText(raw any) (any, error) {
	if list, ok := raw.([]any); ok && len(list) == 1 {
		raw = list[0]
	}
	if wrapped, ok := raw.(map[string]any); ok { // a multi-valued attribute of simple values, given as complex ones
		if inner, ok := wrapped["value"].(string); ok {
			raw = inner
		}
	}
	text, ok := raw.(string)
	if !ok {
		return nil, problem.BadValue("%s must be a string", a.path)
	}
	if !a.Strict || text == "" {
		return text, nil
	}
	for _, canonical := range a.Canonical {
		if strings.EqualFold(strings.TrimSpace(text), canonical) {
			return canonical, nil
		}
	}
	return nil, problem.BadValue("%s must be one of %s, not %q", a.path, strings.Join(a.Canonical, ", "), problem.Shorten(text))
}

// coerceComplex keeps the known sub-attributes. A one-element array stands for its element.
func (a *Attribute) coerceComplex(raw any) (any, error) {
	if list, ok := raw.([]any); ok && len(list) == 1 {
		raw = list[0]
	}
	given, ok := raw.(map[string]any)
	if !ok {
		return nil, problem.BadValue("%s must be an object", a.path)
	}
	result := Object{}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		sub := a.subAttribute(key)
		if sub == nil || sub.Mutability == ReadOnly {
			continue
		}
		if err := assignOnce(result, sub, key, given[key]); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func (o Object) isEmpty() bool {
	for _, v := range o {
		if v != nil {
			return false
		}
	}
	return true
}

// Bool reads a boolean in the shapes that providers send: a string of any case, a one-element array, a complex value.
func Bool(raw any) (value, ok bool) {
	switch raw := raw.(type) {
	case bool:
		return raw, true
	case string:
		switch text := strings.TrimSpace(raw); {
		case strings.EqualFold(text, "true"):
			return true, true
		case strings.EqualFold(text, "false"):
			return false, true
		}
	case []any:
		if len(raw) == 1 {
			return Bool(raw[0])
		}
	case map[string]any:
		return Bool(raw["value"])
	}
	return false, false
}

// Assigned returns a copy without what is unassigned.
func (o Object) Assigned() Object {
	result := make(Object, len(o))
	for name, value := range o {
		if inner, ok := value.(Object); ok {
			if inner = inner.Assigned(); len(inner) == 0 {
				continue
			}
			value = inner
		}
		if list, ok := value.([]any); ok {
			value = assignedElements(list)
		}
		if value != nil {
			result[name] = value
		}
	}
	return result
}

func assignedElements(list []any) any {
	result := make([]any, 0, len(list))
	for _, element := range list {
		if o, ok := element.(Object); ok {
			if o = o.Assigned(); len(o) == 0 {
				continue
			}
			element = o
		}
		result = append(result, element)
	}
	if len(result) == 0 {
		return nil
	}
	return result
}

// Text returns a string attribute, or "".
func (o Object) Text(name string) string {
	s, _ := o[name].(string)
	return s
}

// Inner returns a complex attribute, or nil.
func (o Object) Inner(name string) Object {
	inner, _ := o[name].(Object)
	return inner
}

// List returns a multi-valued attribute, or nil.
func (o Object) List(name string) []any {
	list, _ := o[name].([]any)
	return list
}
