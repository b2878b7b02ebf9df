// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

const roleURN = `urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User:OrganizationRole`

// person is what PATCH works on in the tests below.
func person() scim.Object {
	return scim.Object{
		"userName": "ada@example.com", "active": true, "displayName": "Ada",
		"name":        scim.Object{"givenName": "Ada", "familyName": "Lovelace"},
		"emails":      []any{scim.Object{"value": "w@example.com", "type": "work", "primary": true}, scim.Object{"value": "h@example.com", "type": "home"}},
		userExtension: scim.Object{organizationRoleName: "User"},
	}
}

func TestPatchUser(t *testing.T) {
	with := func(change func(scim.Object)) scim.Object {
		o := person()
		change(o)
		return o
	}
	work, home := person().List("emails")[0].(scim.Object), person().List("emails")[1].(scim.Object)
	tests := []struct {
		name string
		ops  string
		want scim.Object
		kind problem.Kind
	}{
		{name: "replace a simple attribute", ops: `{"op":"replace","path":"displayName","value":"X"}`, want: with(func(o scim.Object) { o["displayName"] = "X" })},
		{name: "op and path in any case", ops: `{"op":"Replace","path":"DISPLAYNAME","value":"X"}`, want: with(func(o scim.Object) { o["displayName"] = "X" })},
		{name: "Add on a single-valued attribute overwrites", ops: `{"op":"Add","path":"displayName","value":"X"}`, want: with(func(o scim.Object) { o["displayName"] = "X" })},
		{name: "remove a simple attribute", ops: `{"op":"remove","path":"displayName"}`, want: with(func(o scim.Object) { delete(o, "displayName") })},
		{name: "null and the empty string are unassigned", ops: `{"op":"replace","path":"displayName","value":""}`, want: with(func(o scim.Object) { delete(o, "displayName") })},
		{name: "a sub-attribute", ops: `{"op":"replace","path":"name.givenName","value":"Augusta"}`, want: with(func(o scim.Object) { o.Inner("name")["givenName"] = "Augusta" })},
		{name: "a complex attribute merges", ops: `{"op":"replace","path":"name","value":{"givenName":"Augusta"}}`, want: with(func(o scim.Object) { o.Inner("name")["givenName"] = "Augusta" })},
		{name: "a single complex value given as a one-element array", ops: `{"op":"replace","path":"name","value":[{"givenName":"Augusta"}]}`, want: with(func(o scim.Object) { o.Inner("name")["givenName"] = "Augusta" })},
		{name: "booleans as strings", ops: `{"op":"replace","path":"active","value":"False"}`, want: with(func(o scim.Object) { o["active"] = false })},
		{name: "path-less, dotted and URN keys", ops: `{"op":"replace","value":{"displayName":"X","name.givenName":"Augusta","` + roleURN + `":"Admin"}}`, want: with(func(o scim.Object) {
			o["displayName"], o.Inner("name")["givenName"], o.Inner(userExtension)[organizationRoleName] = "X", "Augusta", "Admin"
		})},
		{name: "path-less, the extension as an object", ops: `{"op":"add","value":{"urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User":{"LambdatestGroup":"T"}}}`, want: with(func(o scim.Object) {
			o.Inner(userExtension)[lambdatestGroupName] = "T"
		})},
		{name: "a role in any case", ops: `{"op":"replace","path":"` + roleURN + `","value":"ADMIN"}`, want: with(func(o scim.Object) { o.Inner(userExtension)[organizationRoleName] = "Admin" })},
		{name: "remove the last of a complex attribute", ops: `{"op":"remove","path":"` + roleURN + `"}`, want: with(func(o scim.Object) { delete(o, userExtension) })},
		{name: "remove the extension", ops: `{"op":"remove","path":"` + userExtension + `"}`, want: with(func(o scim.Object) { delete(o, userExtension) })},

		{name: "add an element", ops: `{"op":"add","path":"emails","value":[{"value":"n@example.com"}]}`, want: with(func(o scim.Object) { o["emails"] = []any{work, home, scim.Object{"value": "n@example.com"}} })},
		{name: "add a single element without an array", ops: `{"op":"add","path":"emails","value":{"value":"n@example.com"}}`, want: with(func(o scim.Object) { o["emails"] = []any{work, home, scim.Object{"value": "n@example.com"}} })},
		{name: "add an element that is there changes nothing", ops: `{"op":"add","path":"emails","value":[{"value":"H@example.com","type":"HOME"}]}`, want: person()},
		{name: "add an element that is there with more of it", ops: `{"op":"add","path":"emails","value":[{"value":"w@example.com","type":"work","display":"W"}]}`, want: with(func(o scim.Object) {
			o["emails"] = []any{work.With("display", "W"), home}
		})},
		{name: "add a primary element: the one before is none any more", ops: `{"op":"add","path":"emails","value":[{"value":"n@example.com","primary":true}]}`, want: with(func(o scim.Object) {
			o["emails"] = []any{scim.Object{"value": "w@example.com", "type": "work"}, home, scim.Object{"value": "n@example.com", "primary": true}}
		})},
		{name: "replace all elements", ops: `{"op":"replace","path":"emails","value":[{"value":"n@example.com"}]}`, want: with(func(o scim.Object) { o["emails"] = []any{scim.Object{"value": "n@example.com"}} })},
		{name: "replace by nothing", ops: `{"op":"replace","path":"emails","value":[]}`, want: with(func(o scim.Object) { delete(o, "emails") })},
		{name: "remove all elements", ops: `{"op":"remove","path":"emails"}`, want: with(func(o scim.Object) { delete(o, "emails") })},
		{name: "remove with a value array means those", ops: `{"op":"Remove","path":"emails","value":[{"value":"H@EXAMPLE.COM"}]}`, want: with(func(o scim.Object) { o["emails"] = []any{work} })},
		{name: "remove with an empty value array means none", ops: `{"op":"Remove","path":"emails","value":[]}`, want: person()},
		{name: "remove by a filter", ops: `{"op":"remove","path":"emails[type eq \"home\"]"}`, want: with(func(o scim.Object) { o["emails"] = []any{work} })},
		{name: "remove by a filter that matches nothing", ops: `{"op":"remove","path":"emails[type eq \"fax\"]"}`, want: person()},
		{name: "replace a sub-attribute of chosen elements", ops: `{"op":"replace","path":"emails[type eq \"home\"].value","value":"n@example.com"}`, want: with(func(o scim.Object) {
			o["emails"] = []any{work, scim.Object{"value": "n@example.com", "type": "home"}}
		})},
		{name: "replace chosen elements", ops: `{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"n@example.com"}}`, want: with(func(o scim.Object) {
			o["emails"] = []any{work, scim.Object{"value": "n@example.com"}}
		})},
		{name: "add to chosen elements", ops: `{"op":"add","path":"emails[type eq \"home\"]","value":{"display":"Home"}}`, want: with(func(o scim.Object) {
			o["emails"] = []any{work, scim.Object{"value": "h@example.com", "type": "home", "display": "Home"}}
		})},
		{name: "any filter between the brackets", ops: `{"op":"remove","path":"emails[type eq \"home\" and not (primary eq true) and (value sw \"h\" or value sw \"x\")]"}`, want: with(func(o scim.Object) { o["emails"] = []any{work} })},
		{name: "remove a sub-attribute of chosen elements", ops: `{"op":"remove","path":"emails[primary eq true].primary"}`, want: with(func(o scim.Object) {
			o["emails"] = []any{scim.Object{"value": "w@example.com", "type": "work"}, home}
		})},
		{name: "an element without its required value goes", ops: `{"op":"remove","path":"emails[type eq \"home\"].value"}`, want: with(func(o scim.Object) { o["emails"] = []any{work} })},
		{name: "Add with a filter that matches nothing creates the element", ops: `{"op":"Add","path":"emails[type eq \"other\"].value","value":"o@example.com"}`, want: with(func(o scim.Object) {
			o["emails"] = []any{work, home, scim.Object{"value": "o@example.com", "type": "other"}}
		})},
		{name: "Replace with a filter of one term that matches nothing creates the element", ops: `{"op":"Replace","path":"emails[type eq \"other\"].value","value":"o@example.com"}`, want: with(func(o scim.Object) {
			o["emails"] = []any{work, home, scim.Object{"value": "o@example.com", "type": "other"}}
		})},
		{name: "Replace of a whole element that no filter matches creates it", ops: `{"op":"Replace","path":"emails[type eq \"other\"]","value":{"value":"o@example.com"}}`, want: with(func(o scim.Object) {
			o["emails"] = []any{work, home, scim.Object{"value": "o@example.com", "type": "other"}}
		})},
		{name: "a sub-attribute of all elements", ops: `{"op":"replace","path":"emails.display","value":"X"}`, want: with(func(o scim.Object) {
			o["emails"] = []any{work.With("display", "X"), home.With("display", "X")}
		})},
		{name: "making another element primary", ops: `{"op":"replace","path":"emails[type eq \"home\"].primary","value":"True"}`, want: with(func(o scim.Object) {
			o["emails"] = []any{scim.Object{"value": "w@example.com", "type": "work"}, home.With("primary", true)}
		})},

		{name: "read-only id, meta, schemas, groups are ignored", ops: `{"op":"replace","value":{"id":"x","meta":{},"schemas":[],"groups":[{"value":"g"}],"roles":[{"value":"Admin"}]}},{"op":"replace","path":"id","value":"x"}`, want: person()},
		{name: "unknown attributes and extension URNs are ignored", ops: `{"op":"add","value":{"shoeSize":38,"urn:acme:2.0:User":{"a":1},"odd key!":1}},{"op":"add","path":"urn:acme:2.0:User:a","value":1}`, want: person()},
		{name: "a well-formed path to what is not stored is ignored", ops: `{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"1"},{"op":"Replace","path":"title","value":"x"},{"op":"Remove","path":"name.middleName"}`, want: person()},
		{name: "password is ignored", ops: `{"op":"replace","path":"password","value":"hunter2"}`, want: person()},
		{name: "the userName that is there, in another case", ops: `{"op":"replace","path":"userName","value":"ADA@EXAMPLE.COM"}`, want: person()},
		{name: "several operations in order", ops: `{"op":"remove","path":"displayName"},{"op":"add","path":"displayName","value":"A"},{"op":"replace","path":"displayName","value":"B"}`, want: with(func(o scim.Object) { o["displayName"] = "B" })},

		{name: "another userName", ops: `{"op":"replace","path":"userName","value":"x@example.com"}`, kind: problem.KindMutability},
		{name: "remove the userName", ops: `{"op":"remove","path":"userName"}`, kind: problem.KindMutability},
		{name: "remove a required attribute", ops: `{"op":"remove","path":"active"}`, kind: problem.KindMutability},
		{name: "remove a required sub-attribute", ops: `{"op":"remove","path":"name.givenName"}`, kind: problem.KindMutability},
		{name: "unassign a required sub-attribute", ops: `{"op":"replace","path":"name.givenName","value":null}`, kind: problem.KindMutability},
		{name: "replace with a filter of two terms that matches nothing", ops: `{"op":"replace","path":"emails[type eq \"fax\" and primary eq true].value","value":"x"}`, kind: problem.KindNoTarget},
		{name: "replace with a filter other than eq that matches nothing", ops: `{"op":"replace","path":"emails[type sw \"fax\"].value","value":"x"}`, kind: problem.KindNoTarget},
		{name: "more elements than anybody has", ops: `{"op":"add","path":"emails","value":[` + manyEmails(101) + `]}`, kind: problem.KindInvalidValue},
		{name: "remove without a path", ops: `{"op":"remove","value":{"displayName":"x"}}`, kind: problem.KindNoTarget},
		{name: "a malformed path", ops: `{"op":"replace","path":"emails[type eq","value":"x"}`, kind: problem.KindInvalidPath},
		{name: "a malformed path to what is not stored", ops: `{"op":"replace","path":"phoneNumbers[type","value":"x"}`, kind: problem.KindInvalidPath},
		{name: "a filter on an unknown sub-attribute", ops: `{"op":"replace","path":"emails[shoeSize eq 1].value","value":"x"}`, kind: problem.KindInvalidPath},
		{name: "a filter on what has no elements", ops: `{"op":"replace","path":"name[givenName eq \"x\"]","value":"x"}`, kind: problem.KindInvalidPath},
		{name: "an unknown role", ops: `{"op":"replace","path":"` + roleURN + `","value":"Emperor"}`, kind: problem.KindInvalidValue},
		{name: "a value of another type", ops: `{"op":"replace","path":"displayName","value":{"a":1}}`, kind: problem.KindInvalidValue},
		{name: "a boolean that is none", ops: `{"op":"replace","path":"active","value":"maybe"}`, kind: problem.KindInvalidValue},
		{name: "two primary elements", ops: `{"op":"replace","path":"emails","value":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, kind: problem.KindInvalidValue},
		{name: "path-less with a value that is no object", ops: `{"op":"replace","value":"x"}`, kind: problem.KindInvalidValue},
		{name: "an unknown verb", ops: `{"op":"move","path":"displayName"}`, kind: problem.KindInvalidSyntax},
		{name: "all or nothing", ops: `{"op":"replace","path":"displayName","value":"X"},{"op":"remove","path":"active"}`, kind: problem.KindMutability},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			operations, err := scim.ReadPatch(decoded(t, `{"Operations":[`+test.ops+`]}`))
			if err != nil {
				t.Fatal(err)
			}
			current := person()
			got, err := UserType.Patch(current, operations)
			if p := problem.As(err); err != nil && (p == nil || p.Kind != test.kind) || err == nil && test.kind != "" {
				t.Fatalf("error %v, want kind %q", err, test.kind)
			}
			if test.kind == "" && !cmp.Equal(got, test.want) {
				t.Errorf("got - want +\n%s", cmp.Diff(got, test.want))
			}
			if !cmp.Equal(current, person()) {
				t.Errorf("what it was applied to has changed:\n%s", cmp.Diff(current, person()))
			}
		})
	}
}

func manyEmails(count int) string {
	emails := make([]string, count)
	for i := range emails {
		emails[i] = fmt.Sprintf(`{"value":"%d@example.com"}`, i)
	}
	return strings.Join(emails, ",")
}

func TestReadPatch(t *testing.T) {
	for name, body := range map[string]string{
		"no operations":             `{}`,
		"operations that are none":  `{"Operations":7}`,
		"an operation that is none": `{"Operations":[7]}`,
	} {
		operations, err := scim.ReadPatch(decoded(t, body))
		if err == nil {
			err = operations[0].Malformed
		}
		if problem.As(err) == nil || problem.As(err).Kind != problem.KindInvalidSyntax {
			t.Errorf("%s: got %v, want invalidSyntax", name, err)
		}
	}
	operations, err := scim.ReadPatch(decoded(t, `{"operations":[{"OP":"ADD","Path":"a","VALUE":1}]}`))
	if err != nil || operations[0].Verb != scim.Add || operations[0].Path != "a" {
		t.Errorf("a missing schemas and keys in any case: got %v, %v", operations, err)
	}
	if operations, err := scim.ReadPatch(decoded(t, `{"Operations":[]}`)); err != nil || len(operations) != 0 {
		t.Errorf("an empty list changes nothing: got %v, %v", operations, err)
	}
}
