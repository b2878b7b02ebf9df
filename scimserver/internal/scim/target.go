// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// Target is what a path points at in the schema. Attribute is nil when no stored attribute is meant.
type Target struct {
	Attribute *Attribute
	Sub       *Attribute
	// filter chooses among the elements of a multi-valued attribute; nil means all of them. where is the filter as it was written.
	filter Predicate
	where  filter.Expression
}

// Target resolves a path. A well-formed path to something that is not stored is no error: providers' default mappings send many.
func (t *ResourceType) Target(text string) (Target, error) {
	if a, ok := t.byName[text]; ok { // without parsing: nearly every key of nearly every body
		return Target{Attribute: a}, nil
	}
	path, err := filter.ParsePath(t.Rename(text))
	if err != nil {
		return Target{}, err
	}
	a, sub, known := t.resolve(path.Attribute)
	if !known || a == nil {
		return Target{}, nil
	}
	return t.narrow(path, a, sub)
}

// narrow adds the value filter and the sub-attribute that stands after it.
func (t *ResourceType) narrow(path filter.PatchPath, a, sub *Attribute) (Target, error) {
	result := Target{Attribute: a, Sub: sub}
	if path.Filter == nil {
		return result, nil
	}
	if !a.MultiValued || a.DataType != TypeComplex {
		return Target{}, problem.BadPath("%s has no elements to choose from", a.path)
	}
	filter, err := compileElements(a, path.Filter)
	if err != nil {
		return Target{}, problem.BadPath("%s", err.Error())
	}
	result.filter, result.where = filter, path.Filter
	if path.Sub != "" {
		if result.Sub = a.subAttribute(path.Sub); result.Sub == nil {
			return Target{}, nil
		}
	}
	return result, nil
}

// resolve finds the attribute that a path names. known with a nil attribute is one that the RFC has and this endpoint does not store.
func (t *ResourceType) resolve(path filter.AttributePath) (a, sub *Attribute, known bool) {
	switch {
	case strings.EqualFold(path.String(), t.Extension):
		return t.Find(t.Extension), nil, true
	case strings.EqualFold(path.String(), enterpriseSchema):
		return nil, nil, true
	case strings.EqualFold(path.URI, t.Extension):
		a = t.Find(t.Extension)
		sub = a.subAttribute(path.Name)
		return a, sub, sub != nil && path.Sub == ""
	case strings.EqualFold(path.URI, enterpriseSchema):
		return nil, nil, isEnterprise(path.Name) && t.isUnstored(path.Name, path.Sub)
	case path.URI != "" && !strings.EqualFold(path.URI, t.Schema):
		return nil, nil, false
	}
	if a = t.Find(path.Name); a == nil {
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
