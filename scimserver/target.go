// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// target is what a path points at, once the schema has been asked. attribute is nil when no stored attribute is meant.
type target struct {
	attribute *attribute
	sub       *attribute
	// filter chooses among the elements of a multi-valued attribute; nil means all of them. where is the filter as it was written.
	filter predicate
	where  filter.Expression
}

// target resolves a path. A well-formed path to something that is not stored is no error: providers' default mappings send many.
func (t *resourceType) target(text string) (target, error) {
	if a, ok := t.byName[text]; ok { // without parsing: nearly every key of nearly every body
		return target{attribute: a}, nil
	}
	path, err := filter.ParsePath(text)
	if err != nil {
		return target{}, err
	}
	a, sub, known := t.resolve(path.Attribute)
	if !known || a == nil {
		return target{}, nil
	}
	return t.narrow(path, a, sub)
}

// knownTarget resolves a key of an object of attributes: one that is no path is an attribute that nobody knows.
func (t *resourceType) knownTarget(key string) target {
	result, err := t.target(key)
	if err != nil {
		return target{}
	}
	return result
}

// narrow adds the value filter and the sub-attribute that stands after it.
func (t *resourceType) narrow(path filter.PatchPath, a, sub *attribute) (target, error) {
	result := target{attribute: a, sub: sub}
	if path.Filter == nil {
		return result, nil
	}
	if !a.multiValued || a.dataType != typeComplex {
		return target{}, problem.BadPath("%s has no elements to choose from", a.path)
	}
	filter, err := compileElements(a, path.Filter)
	if err != nil {
		return target{}, problem.BadPath("%s", err.Error())
	}
	result.filter, result.where = filter, path.Filter
	if path.Sub != "" {
		if result.sub = a.subAttribute(path.Sub); result.sub == nil {
			return target{}, nil
		}
	}
	return result, nil
}

// resolve finds the attribute that a path names. known with a nil attribute is one that the RFC has and this endpoint does not store.
func (t *resourceType) resolve(path filter.AttributePath) (a, sub *attribute, known bool) {
	switch {
	case strings.EqualFold(path.String(), t.extension):
		return t.find(t.extension), nil, true
	case strings.EqualFold(path.String(), enterpriseSchema):
		return nil, nil, true
	case strings.EqualFold(path.URI, t.extension):
		a = t.find(t.extension)
		sub = a.subAttribute(path.Name)
		return a, sub, sub != nil && path.Sub == ""
	case strings.EqualFold(path.URI, enterpriseSchema):
		return nil, nil, isEnterprise(path.Name) && t.isUnstored(path.Name, path.Sub)
	case path.URI != "" && !strings.EqualFold(path.URI, t.schema):
		return nil, nil, false
	}
	if a = t.find(path.Name); a == nil {
		return nil, nil, t.isUnstored(path.Name, path.Sub)
	}
	if path.Sub == "" {
		return a, nil, true
	}
	if sub = a.subAttribute(path.Sub); sub == nil {
		return nil, nil, t.isUnstored(path.Name, path.Sub)
	}
	return a, sub, true
}
