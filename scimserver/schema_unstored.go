// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import "strings"

// unstoredAttributes are attributes of the RFC's schemas that are understood in a filter, and absent from every resource: Entra ID
// looks for `manager eq "x"`. By folded name, with the folded names of their sub-attributes. `password` is not among them.
type unstoredAttributes map[string][]string

var plural = []string{"value", "display", "type", "primary", "$ref"}

// unstoredOfUsers are those of RFC 7643, sections 4.1 and 4.3.
var unstoredOfUsers = unstored(map[string][]string{
	"nickName": nil, "profileUrl": nil, "title": nil, "userType": nil, "preferredLanguage": nil, "locale": nil, "timezone": nil,
	"phoneNumbers": plural, "ims": plural, "photos": plural, "entitlements": plural, "x509Certificates": plural,
	"addresses": append([]string{"formatted", "streetAddress", "locality", "region", "postalCode", "country"}, plural...),
	"name":      {"formatted", "middleName", "honorificPrefix", "honorificSuffix"},
	"roles":     plural,

	"employeeNumber": nil, "costCenter": nil, "organization": nil, "division": nil, "department": nil,
	"manager": {"value", "$ref", "displayName"},
})

func unstored(names map[string][]string) unstoredAttributes {
	result := make(unstoredAttributes, len(names))
	for name, subs := range names {
		lower := make([]string, 0, len(subs))
		for _, sub := range subs {
			lower = append(lower, strings.ToLower(sub))
		}
		result[strings.ToLower(name)] = lower
	}
	return result
}

// has tells whether the path names one of them.
func (u unstoredAttributes) has(name, sub string) bool {
	subs, ok := u[strings.ToLower(name)]
	if !ok || sub == "" {
		return ok
	}
	for _, known := range subs {
		if strings.EqualFold(known, sub) {
			return true
		}
	}
	return false
}

// isEnterprise tells whether an attribute belongs to the enterprise extension.
func isEnterprise(name string) bool {
	switch strings.ToLower(name) {
	case "employeenumber", "costcenter", "organization", "division", "department", "manager":
		return true
	default:
		return false
	}
}
