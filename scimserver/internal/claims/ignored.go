// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// MendMapping says what to do about an ignored attribute.
const MendMapping = "Correct the mapping at the provider: OrganizationRole and LambdatestGroup belong to " + userExtension + ", LambdatestRoles to " +
	groupExtension + ". Core roles count only with spec.scim.coreRoles: true, and only Admin, User and Guest. See docs/okta.md, step 9."

// ours are the names of LambdaTest's attributes, letters only, with the usual misspellings.
var ours = []string{"organizationrole", "organisationrole", "lambdatestrole", "lambdatestroles", "lambdatestgroup", "lambdatestgroups"}

// Ignored returns the names in a request that look like LambdaTest's attributes and are not, in order. Providers send many attributes that
// LambdaTest does not have; but a role under a wrong name is a mistake in the mapping. creates tells that the request is a POST: any other may
// repeat the core roles that it was shown.
func Ignored(table *scim.ResourceType, body map[string]any, creates bool) []string {
	i := ignored{table, creates, map[string]bool{}}
	i.object("", body)
	operations, _ := scim.ReadPatch(body)
	for _, o := range operations {
		if o.Path != "" {
			i.attribute(o.Path, o.Value)
		} else {
			i.object("", o.Value)
		}
	}
	return slices.Sorted(maps.Keys(i.names))
}

type ignored struct {
	table   *scim.ResourceType
	creates bool
	names   map[string]bool
}

// object looks at the attributes in an object; prefix is the URN that they belong to, with a colon.
func (i ignored) object(prefix string, value any) {
	fields, _ := value.(map[string]any)
	for key, value := range fields {
		i.attribute(prefix+key, value)
	}
}

func (i ignored) attribute(name string, value any) {
	target, _ := i.table.Target(name)
	switch a := target.Attribute; {
	case strings.EqualFold(name, i.table.Schema):
		i.object("", value)
	case a == nil && isOurs(name):
		i.names[printable(name)] = true
	case a == nil && strings.HasPrefix(name, "urn:"):
		i.object(name+":", value)
	case a == nil:
	case a.Name == i.table.Extension && target.Sub == nil:
		i.object(a.Name+":", value)
	case a.Name == "roles":
		i.roles(value)
	}
}

// roles looks at core roles. Where they count, those that LambdaTest does not have are ignored. Elsewhere all are, and a new user with one that
// LambdaTest has shows that the provider relies on them.
func (i ignored) roles(value any) {
	given, _ := coreRolesUserType.Find("roles").Coerce(value)
	elements, _ := given.([]any)
	for _, element := range elements {
		role := element.(scim.Object).Text("value")
		if count := i.table == coreRolesUserType; role != "" && (count && knownRole(role) == "" || !count && i.creates && knownRole(role) != "") {
			i.names["roles"] = true
		}
	}
}

// isOurs tells whether an unknown name has the vendor's name in its URN, or the name of one of LambdaTest's attributes at its end.
func isOurs(name string) bool {
	letters := func(s string) string {
		return strings.ToLower(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }), ""))
	}
	name, _, _ = strings.Cut(name, "[")
	all, last := letters(name), letters(name[strings.LastIndexAny(name, ":./")+1:])
	return slices.Contains(ours, last) || strings.HasPrefix(all, "urn") && (strings.Contains(all, "lambdatest") || strings.Contains(all, "testmu"))
}

// printable keeps the characters that names of attributes have: the name goes into logs, events and the status.
func printable(name string) string {
	name, _, _ = strings.Cut(name, "[")
	return problem.Shorten(strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(":.-_ $", r)) {
			return r
		}
		return '?'
	}, name))
}
