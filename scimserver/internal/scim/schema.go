// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"slices"
	"strings"
)

// DataType is the type of an attribute.
type DataType string

// The data types of RFC 7643, section 2.3, that occur here.
const (
	TypeString    DataType = "string"
	TypeBoolean   DataType = "boolean"
	TypeDateTime  DataType = "dateTime"
	TypeReference DataType = "reference"
	TypeComplex   DataType = "complex"
)

// Mutability tells who may change an attribute.
type Mutability string

// RFC 7643, section 7, "mutability".
const (
	ReadWrite Mutability = "readWrite"
	ReadOnly  Mutability = "readOnly"
	// Immutable is set when the resource is created and never changes.
	Immutable Mutability = "immutable"
)

type returned string

// RFC 7643, section 7, "returned".
const (
	returnedAlways  returned = "always"
	returnedDefault returned = "default"
)

// Attribute is a row of the one table that PATCH, filters, projection, rendering and /Schemas go by.
type Attribute struct {
	Name        string
	Description string
	DataType    DataType
	MultiValued bool
	// Set means that there may be tens of thousands of elements, each known by its value alone: a body's are read as IDs, and PATCH works on a Set.
	Set        bool
	Required   bool
	CaseExact  bool
	Mutability Mutability
	returned   returned
	Unique     bool
	Canonical  []string
	// Strict means that canonical lists all values there are, and not just suggestions.
	Strict     bool
	References []string
	Sub        []*Attribute
	// WhyImmutable is what a client reads that changes an immutable attribute.
	WhyImmutable string

	// path is the canonical full name, such as "name.givenName"; derived, and so is fold.
	path string
	fold func(string) string
}

// ResourceType is one kind of resource: RFC 7643, section 6.
type ResourceType struct {
	Name        string
	Description string
	Endpoint    string
	Schema      string
	Extension   string
	// Attributes of the resource in the order in which they are rendered; finish adds the common ones. The extension is one complex attribute whose name is its
	// URN, so that "urn:…:User:OrganizationRole" is to PATCH and filters what "name.givenName" is.
	Attributes []*Attribute
	// Unstored are attributes of the RFC's schemas that are understood in a filter, and absent from every resource: Entra ID looks for
	// `manager eq "x"`. By name, with the names of their sub-attributes.
	Unstored map[string][]string
	// Fold gives text the form in which two values that differ only in case are equal. It is asked about text that is not ASCII.
	Fold func(string) string
	// Rename gives a key or a path the name that the table has for it, where clients know the extension by other names.
	Rename func(string) string

	byName map[string]*Attribute // by folded name
}

// Find returns the attribute of that name, without regard to case (RFC 7643, section 2.1), or nil.
func (t *ResourceType) Find(name string) *Attribute {
	if a, ok := t.byName[name]; ok { // the spelling of the schema, which is nearly always used
		return a
	}
	return t.byName[strings.ToLower(name)]
}

// subAttribute returns the sub-attribute of that name, without regard to case, or nil.
func (a *Attribute) subAttribute(name string) *Attribute {
	for _, sub := range a.Sub {
		if strings.EqualFold(sub.Name, name) {
			return sub
		}
	}
	return nil
}

func (a *Attribute) isExtension() bool { return strings.HasPrefix(a.Name, "urn:") }

// folded is the form in which values of the attribute are compared. Most text is ASCII, for which folding gives lower case.
func (a *Attribute) folded(s string) string {
	if a.CaseExact {
		return s
	}
	for i := range len(s) {
		if s[i] >= 0x80 {
			return a.fold(s)
		}
	}
	return strings.ToLower(s)
}

// Complete derives what the table does not spell out.
func (t *ResourceType) Complete() *ResourceType {
	t.Attributes = slices.Concat(commonAttributes(), t.Attributes, []*Attribute{metaAttribute()})
	t.byName = make(map[string]*Attribute, 2*len(t.Attributes))
	for _, a := range t.Attributes {
		a.complete(a.Name, t.Fold)
		t.byName[a.Name] = a
		t.byName[strings.ToLower(a.Name)] = a
		for _, sub := range a.Sub {
			separator := "."
			if a.isExtension() {
				separator = ":"
			}
			sub.complete(a.Name+separator+sub.Name, t.Fold)
		}
	}
	return t
}

func (a *Attribute) complete(path string, fold func(string) string) {
	a.path, a.fold = path, fold
	if a.Mutability == "" {
		a.Mutability = ReadWrite
	}
	if a.returned == "" {
		a.returned = returnedDefault
	}
	if a.DataType == "" {
		a.DataType = TypeString
	}
}

// commonAttributes are those of every resource, with meta (RFC 7643, section 3.1). /Schemas does not list them.
func commonAttributes() []*Attribute {
	return []*Attribute{
		{Name: "schemas", MultiValued: true, CaseExact: true, DataType: TypeReference, Mutability: ReadOnly, returned: returnedAlways},
		{Name: "id", CaseExact: true, Mutability: ReadOnly, returned: returnedAlways},
		{Name: "externalId", CaseExact: true},
	}
}

func isCommon(a *Attribute) bool {
	return a.Name == "schemas" || a.Name == "id" || a.Name == "externalId" || a.Name == "meta"
}

func metaAttribute() *Attribute {
	return &Attribute{
		Name: "meta", DataType: TypeComplex, Mutability: ReadOnly,
		Sub: []*Attribute{
			{Name: "location", DataType: TypeReference, CaseExact: true, Mutability: ReadOnly},
			{Name: "resourceType", CaseExact: true, Mutability: ReadOnly},
			{Name: "created", DataType: TypeDateTime, Mutability: ReadOnly},
			{Name: "lastModified", DataType: TypeDateTime, Mutability: ReadOnly},
			{Name: "version", CaseExact: true, Mutability: ReadOnly},
		},
	}
}
