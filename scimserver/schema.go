// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"slices"
	"strings"
)

// Schema URNs. The extensions are LambdaTest's own, so that a provider's mapping for LambdaTest works here unchanged.
const (
	userSchema           = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema          = "urn:ietf:params:scim:schemas:core:2.0:Group"
	userExtension        = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"
	groupExtension       = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group"
	organizationRoleName = "OrganizationRole"
	lambdatestGroupName  = "LambdatestGroup"
	lambdatestRolesName  = "LambdatestRoles"
)

type dataType string

// The data types of RFC 7643, section 2.3, that occur here.
const (
	typeString    dataType = "string"
	typeBoolean   dataType = "boolean"
	typeDateTime  dataType = "dateTime"
	typeReference dataType = "reference"
	typeComplex   dataType = "complex"
)

type mutability string

// RFC 7643, section 7, "mutability".
const (
	readWrite mutability = "readWrite"
	readOnly  mutability = "readOnly"
	// immutableOnce is set when the resource is created and never changes.
	immutableOnce mutability = "immutable"
)

type returned string

// RFC 7643, section 7, "returned".
const (
	returnedAlways  returned = "always"
	returnedDefault returned = "default"
)

// attribute is a row of the one table that PATCH, filters, projection, rendering and /Schemas go by.
type attribute struct {
	name        string
	description string
	dataType    dataType
	multiValued bool
	required    bool
	caseExact   bool
	mutability  mutability
	returned    returned
	unique      bool
	canonical   []string
	// strict means that canonical lists all values there are, and not just suggestions.
	strict     bool
	references []string
	sub        []*attribute
	// whyImmutable is what a client reads that changes an immutable attribute.
	whyImmutable string

	// path is the canonical full name, such as "name.givenName"; derived, and so is fold.
	path string
	fold func(string) string
}

// resourceType is one kind of resource: RFC 7643, section 6.
type resourceType struct {
	name        string
	description string
	endpoint    string
	schema      string
	extension   string
	// attributes of the resource in the order in which they are rendered; finish adds the common ones. The extension is one complex attribute whose name is its
	// URN, so that "urn:…:User:OrganizationRole" is to PATCH and filters what "name.givenName" is.
	attributes []*attribute
	// unstored are attributes of the RFC's schemas that are understood in a filter, and absent from every resource: Entra ID looks for
	// `manager eq "x"`. By name, with the names of their sub-attributes.
	unstored map[string][]string
	// fold gives text the form in which two values that differ only in case are equal. It is asked about text that is not ASCII.
	fold func(string) string

	byName map[string]*attribute // by folded name
}

// find returns the attribute of that name, without regard to case (RFC 7643, section 2.1), or nil.
func (t *resourceType) find(name string) *attribute {
	if a, ok := t.byName[name]; ok { // the spelling of the schema, which is nearly always used
		return a
	}
	return t.byName[strings.ToLower(name)]
}

// subAttribute returns the sub-attribute of that name, without regard to case, or nil.
func (a *attribute) subAttribute(name string) *attribute {
	for _, sub := range a.sub {
		if strings.EqualFold(sub.name, name) {
			return sub
		}
	}
	return nil
}

func (a *attribute) isExtension() bool { return strings.HasPrefix(a.name, "urn:") }

// folded is the form in which values of the attribute are compared. Most text is ASCII, for which folding gives lower case.
func (a *attribute) folded(s string) string {
	if a.caseExact {
		return s
	}
	for i := range len(s) {
		if s[i] >= 0x80 {
			return a.fold(s)
		}
	}
	return strings.ToLower(s)
}

// finish derives what the table does not spell out.
func (t *resourceType) finish() *resourceType {
	t.attributes = slices.Concat(commonAttributes(), t.attributes, []*attribute{metaAttribute()})
	t.byName = make(map[string]*attribute, 2*len(t.attributes))
	for _, a := range t.attributes {
		a.complete(a.name, t.fold)
		t.byName[a.name] = a
		t.byName[strings.ToLower(a.name)] = a
		for _, sub := range a.sub {
			separator := "."
			if a.isExtension() {
				separator = ":"
			}
			sub.complete(a.name+separator+sub.name, t.fold)
		}
	}
	return t
}

func (a *attribute) complete(path string, fold func(string) string) {
	a.path, a.fold = path, fold
	if a.mutability == "" {
		a.mutability = readWrite
	}
	if a.returned == "" {
		a.returned = returnedDefault
	}
	if a.dataType == "" {
		a.dataType = typeString
	}
}

// commonAttributes are those of every resource, with meta (RFC 7643, section 3.1). /Schemas does not list them.
func commonAttributes() []*attribute {
	return []*attribute{
		{name: "schemas", multiValued: true, caseExact: true, dataType: typeReference, mutability: readOnly, returned: returnedAlways},
		{name: "id", caseExact: true, mutability: readOnly, returned: returnedAlways},
		{name: "externalId", caseExact: true},
	}
}

func isCommon(a *attribute) bool {
	return a.name == "schemas" || a.name == "id" || a.name == "externalId" || a.name == "meta"
}

func metaAttribute() *attribute {
	return &attribute{
		name: "meta", dataType: typeComplex, mutability: readOnly,
		sub: []*attribute{
			{name: "location", dataType: typeReference, caseExact: true, mutability: readOnly},
			{name: "resourceType", caseExact: true, mutability: readOnly},
			{name: "created", dataType: typeDateTime, mutability: readOnly},
			{name: "lastModified", dataType: typeDateTime, mutability: readOnly},
			{name: "version", caseExact: true, mutability: readOnly},
		},
	}
}
