// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"encoding/json"
	"strconv"
	"strings"
)

// projection is what `attributes` or `excludedAttributes` ask for: RFC 7644, section 3.9. The zero value is everything.
type projection struct {
	only   map[string]bool // canonical paths; nil means all
	except map[string]bool
}

// isEverything tells whether nothing is left out.
func (p projection) isEverything() bool { return p.only == nil && len(p.except) == 0 }

// project reads both parameters for a type of resource. Names that nobody knows select nothing and exclude nothing. They exclude
// each other; when both are given, `attributes` decides.
func (t *resourceType) project(attributes, excluded []string) projection {
	if len(attributes) > 0 {
		return projection{only: t.paths(attributes)}
	}
	return projection{except: t.paths(excluded)}
}

func (t *resourceType) paths(names []string) map[string]bool {
	if len(names) == 0 {
		return nil
	}
	paths := make(map[string]bool, len(names))
	for _, name := range names {
		if strings.EqualFold(name, t.schema) {
			for _, a := range t.attributes {
				paths[a.path] = paths[a.path] || !isCommon(a) && !a.isExtension()
			}
			continue
		}
		switch target, err := t.target(name); {
		case err != nil || target.attribute == nil || target.filter != nil:
		case target.sub != nil:
			paths[target.sub.path] = true
		default:
			paths[target.attribute.path] = true
		}
	}
	return paths
}

// wants tells whether an attribute is rendered at all.
func (p projection) wants(a *attribute) bool {
	if a.returned == returnedAlways {
		return true
	}
	if p.only == nil {
		return !p.except[a.path]
	}
	if p.only[a.path] {
		return true
	}
	for _, sub := range a.sub {
		if p.only[sub.path] {
			return true
		}
	}
	return false
}

// wantsSub tells whether a sub-attribute of a wanted attribute is rendered.
func (p projection) wantsSub(a, sub *attribute) bool {
	if p.only == nil {
		return !p.except[sub.path]
	}
	return p.only[a.path] || p.only[sub.path]
}

// appendResource renders a resource as the table orders it. It is written by hand because a page has up to a thousand of them.
func (t *resourceType) appendResource(dst []byte, v valuer, p projection) []byte {
	dst = append(dst, '{')
	start := len(dst)
	for _, a := range t.attributes {
		if p.wants(a) {
			dst = p.appendAttribute(dst, start, a, v)
		}
	}
	return append(dst, '}')
}

// appendNext renders one attribute with all that is in it, behind others.
func (t *resourceType) appendNext(dst []byte, name string, v valuer) []byte {
	return projection{}.appendAttribute(dst, 0, t.find(name), v)
}

func (p projection) appendAttribute(dst []byte, start int, a *attribute, v valuer) []byte {
	if a.dataType == typeComplex && !a.multiValued {
		return p.appendComplex(dst, start, a, v)
	}
	value := v.value(a.path)
	if value == nil {
		return dst
	}
	dst = appendKey(dst, start, a.name)
	if list, ok := value.(elements); ok {
		return p.appendElements(dst, a, list)
	}
	return appendValue(dst, value)
}

// appendComplex leaves the attribute out when none of its sub-attributes has a value.
func (p projection) appendComplex(dst []byte, start int, a *attribute, v valuer) []byte {
	before := len(dst)
	dst = append(appendKey(dst, start, a.name), '{')
	inner := len(dst)
	for _, sub := range a.sub {
		if value := v.value(sub.path); value != nil && p.wantsSub(a, sub) {
			dst = appendValue(appendKey(dst, inner, sub.name), value)
		}
	}
	if len(dst) == inner {
		return dst[:before]
	}
	return append(dst, '}')
}

func (p projection) appendElements(dst []byte, a *attribute, list elements) []byte {
	dst = append(dst, '[')
	for i, element := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		start := len(dst)
		for _, sub := range a.sub {
			if value := element.value(sub.name); value != nil && p.wantsSub(a, sub) {
				dst = appendValue(appendKey(dst, start, sub.name), value)
			}
		}
		dst = append(dst, '}')
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
		return appendString(dst, value)
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

func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return appendMarshalled(dst, s)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendMarshalled(dst []byte, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil { // strings, booleans and maps of them: cannot happen
		return append(dst, "null"...)
	}
	return append(dst, text...)
}
