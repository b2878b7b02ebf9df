// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Projection is what `attributes` or `excludedAttributes` ask for: RFC 7644, section 3.9. The zero value is everything.
type Projection struct {
	only   map[string]bool // canonical paths; nil means all
	except map[string]bool
}

// Project reads both parameters for a type of resource. Names that nobody knows select nothing and exclude nothing. They exclude
// each other; when both are given, `attributes` decides.
func (t *ResourceType) Project(attributes, excluded []string) Projection {
	if len(attributes) > 0 {
		return Projection{only: t.paths(attributes)}
	}
	return Projection{except: t.paths(excluded)}
}

func (t *ResourceType) paths(names []string) map[string]bool {
	if len(names) == 0 {
		return nil
	}
	paths := make(map[string]bool, len(names))
	for _, name := range names {
		if strings.EqualFold(name, t.Schema) {
			for _, a := range t.Attributes {
				paths[a.path] = paths[a.path] || !isCommon(a) && !a.isExtension()
			}
			continue
		}
		switch target, err := t.Target(name); {
		case err != nil || target.Attribute == nil || target.filter != nil:
		case target.Sub != nil:
			paths[target.Sub.path] = true
		default:
			paths[target.Attribute.path] = true
		}
	}
	return paths
}

// Shows tells whether a projection renders the attribute of that name; a type that does not have it shows nothing.
func (t *ResourceType) Shows(p Projection, name string) bool {
	a := t.Find(name)
	return a != nil && p.wants(a)
}

// wants tells whether an attribute is rendered at all.
func (p Projection) wants(a *Attribute) bool {
	if a.returned == returnedAlways {
		return true
	}
	if p.only == nil {
		return !p.except[a.path]
	}
	if p.only[a.path] {
		return true
	}
	for _, sub := range a.Sub {
		if p.only[sub.path] {
			return true
		}
	}
	return false
}

// wantsSub tells whether a sub-attribute of a wanted attribute is rendered.
func (p Projection) wantsSub(a, sub *Attribute) bool {
	if p.only == nil {
		return !p.except[sub.path]
	}
	return p.only[a.path] || p.only[sub.path]
}

// Append renders a resource as the table orders it. It is written by hand because a page has up to a thousand of them.
func (t *ResourceType) Append(dst []byte, v Valuer, p Projection) []byte {
	dst = append(dst, '{')
	start := len(dst)
	for _, a := range t.Attributes {
		if p.wants(a) {
			dst = p.appendAttribute(dst, start, a, v)
		}
	}
	return append(dst, '}')
}

func (p Projection) appendAttribute(dst []byte, start int, a *Attribute, v Valuer) []byte {
	if a.DataType == TypeComplex && !a.MultiValued {
		return p.appendComplex(dst, start, a, v)
	}
	value := v.Value(a.path)
	if value == nil {
		return dst
	}
	if list, ok := value.(Elements); ok {
		return p.appendElements(dst, start, a, list)
	}
	return appendValue(appendKey(dst, start, a.Name), value)
}

// appendComplex leaves the attribute out when none of its sub-attributes has a value.
func (p Projection) appendComplex(dst []byte, start int, a *Attribute, v Valuer) []byte {
	before := len(dst)
	dst = append(appendKey(dst, start, a.Name), '{')
	inner := len(dst)
	for _, sub := range a.Sub {
		if value := v.Value(sub.path); value != nil && p.wantsSub(a, sub) {
			dst = appendValue(appendKey(dst, inner, sub.Name), value)
		}
	}
	if len(dst) == inner {
		return dst[:before]
	}
	return append(dst, '}')
}

// appendElements leaves out elements of which nothing is wanted, and the attribute if none is left.
func (p Projection) appendElements(dst []byte, start int, a *Attribute, list Elements) []byte {
	before := len(dst)
	dst = append(appendKey(dst, start, a.Name), '[')
	first := len(dst)
	for _, element := range list {
		end := len(dst)
		if end > first {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		inner := len(dst)
		for _, sub := range a.Sub {
			if value := element.Value(sub.Name); value != nil && p.wantsSub(a, sub) {
				dst = appendValue(appendKey(dst, inner, sub.Name), value)
			}
		}
		if len(dst) == inner {
			dst = dst[:end]
			continue
		}
		dst = append(dst, '}')
	}
	if len(dst) == first {
		return dst[:before]
	}
	return append(dst, ']')
}

func appendKey(dst []byte, start int, name string) []byte {
	if len(dst) > start {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

func appendValue(dst []byte, value any) []byte {
	switch value := value.(type) {
	case string:
		return AppendString(dst, value)
	case bool:
		return strconv.AppendBool(dst, value)
	case []any:
		dst = append(dst, '[')
		for i, element := range value {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, element)
		}
		return append(dst, ']')
	default:
		return appendMarshalled(dst, value)
	}
}

// AppendString appends a JSON string. Versions have quotation marks, so they are escaped here.
func AppendString(dst []byte, s string) []byte {
	before := len(dst)
	dst = append(dst, '"')
	begun := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c < 0x20 || c >= 0x7f:
			return appendMarshalled(dst[:before], s)
		case c == '"' || c == '\\':
			dst = append(append(dst, s[begun:i]...), '\\')
			begun = i
		}
	}
	return append(append(dst, s[begun:]...), '"')
}

func appendMarshalled(dst []byte, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil { // strings, booleans and maps of them: cannot happen
		return append(dst, "null"...)
	}
	return append(dst, text...)
}
