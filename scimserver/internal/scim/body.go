// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// Object holds attributes by their canonical names: string, bool, object, []any of these, IDs or a Set. A stored object has no nil values; one
// that was read from a body has nil where the client sent null, "" or [], which RFC 7643, section 2.5, calls unassigned.
type Object map[string]any

// Repeated is the values of a key that stands more than once in an object.
type Repeated []any

// Readings returns each value that a decoded value may be read as: more than one for a key that stands more than once.
func Readings(raw any) []any {
	if repeated, ok := raw.(Repeated); ok {
		return repeated
	}
	return []any{raw}
}

// Decode decodes a body that must be one JSON object. It stops where the body has too many elements or nests too deep.
func Decode(body []byte, maxElements int64) (map[string]any, error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff")) // RFC 8259, section 8.1: a reader may ignore a byte order mark
	d := decoder{jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)), maxElements}
	value, err := d.value()
	if err != nil {
		return nil, decodingProblem(err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, problem.BadSyntax("the body is not a JSON object")
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, problem.BadSyntax("the body goes on after its JSON object")
	}
	return object, nil
}

// decodingProblem does not repeat the body: it may hold a password.
func decodingProblem(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case problem.As(err) != nil:
		return err
	case errors.As(err, &syntax) && !errors.Is(err, io.ErrUnexpectedEOF):
		return problem.BadSyntax("the body is not a JSON object: syntax error at byte %d", syntax.ByteOffset)
	default:
		return problem.BadSyntax("the body is not a JSON object: it ends too early")
	}
}

type decoder struct {
	*jsontext.Decoder
	left int64 // how many more elements the body may have
}

func (d *decoder) value() (any, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	if d.left--; d.left < 0 {
		return nil, problem.New(http.StatusRequestEntityTooLarge, "", "the body has too many elements")
	}
	if d.StackDepth() > maxNesting {
		return nil, problem.BadSyntax("the body is nested deeper than %d levels", maxNesting)
	}
	switch token.Kind() {
	case '{':
		return d.object()
	case '[':
		return d.list()
	case '"':
		return token.String(), nil
	case '0':
		return json.Number(token.String()), nil
	case 't', 'f':
		return token.Bool(), nil
	default:
		return nil, nil
	}
}

func (d *decoder) object() (any, error) {
	fields := map[string]any{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String() // before the next token is read, which overwrites it
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		if before, twice := fields[key]; twice {
			repeated, again := before.(Repeated)
			if !again {
				repeated = Repeated{before}
			}
			value = append(repeated, value)
		}
		fields[key] = value
	}
	_, err := d.ReadToken()
	return fields, err
}

func (d *decoder) list() (any, error) {
	list := []any{}
	for d.PeekKind() != ']' {
		element, err := d.value()
		if err != nil {
			return nil, err
		}
		list = append(list, element)
	}
	_, err := d.ReadToken()
	return list, err
}

// Read turns the JSON of a whole resource into canonical attributes: any spelling, dotted and URN keys, unknown and read-only
// attributes left out, values coerced to their types.
func (t *ResourceType) Read(body map[string]any) (Object, error) {
	result := Object{}
	return result, t.readInto(result, body)
}

func (t *ResourceType) readInto(result Object, body map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(body)) {
		for _, value := range Readings(body[key]) {
			if err := t.readKey(result, key, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *ResourceType) readKey(result Object, key string, raw any) error {
	if strings.EqualFold(key, t.Schema) {
		nested, _ := raw.(map[string]any)
		return t.readInto(result, nested)
	}
	target, _ := t.Target(key) // a key that is no path names an unknown attribute
	if target.Attribute == nil || target.filter != nil || target.Attribute.Mutability == ReadOnly {
		return nil // unknown, or not the client's to set
	}
	a, sub := target.Attribute, target.Sub
	if sub == nil {
		return assignOnce(result, a, raw)
	}
	if a.MultiValued {
		return nil
	}
	inner, _ := result[a.Name].(Object)
	if inner == nil {
		inner = Object{}
	}
	result[a.Name] = inner
	return assignOnce(inner, sub, raw)
}

func assignOnce(result Object, a *Attribute, raw any) error {
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
	if a.Set {
		return a.coerceIDs(raw)
	}
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
		if o, ok := value.(Object); ok && len(o.Assigned()) == 0 {
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
		for _, value := range Readings(given[key]) {
			if err := assignOnce(result, sub, value); err != nil {
				return nil, err
			}
		}
	}
	return result, nil
}

// Bool reads a boolean in the shapes that providers send: a string of any case, a one-element array, a complex value. Of a key that
// stands more than once any false is enough.
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
	case Repeated:
		value = true
		for _, reading := range raw {
			if one, isBool := Bool(reading); isBool {
				value, ok = value && one, true
			}
		}
		return value && ok, ok
	}
	return false, false
}

// Assigned returns a copy without what is unassigned.
func (o Object) Assigned() Object {
	result := make(Object, len(o))
	for name, value := range o {
		if value = assigned(value); value != nil {
			result[name] = value
		}
	}
	return result
}

// assigned returns nil for what is unassigned, and for a list or an object of nothing else.
func assigned(value any) any {
	switch value := value.(type) {
	case Object:
		if inner := value.Assigned(); len(inner) > 0 {
			return inner
		}
		return nil
	case []any:
		var list []any
		for _, element := range value {
			if element = assigned(element); element != nil {
				list = append(list, element)
			}
		}
		if list == nil {
			return nil
		}
		return list
	default:
		return value
	}
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
