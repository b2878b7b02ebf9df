// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

var (
	someText  = rapid.StringMatching(`[a-zA-Z "\\<é]{1,12}`)
	someRole  = rapid.SampledFrom([]v1alpha1.Role{"", "Admin", "User", "Guest"})
	someEmail = rapid.Custom(func(t *rapid.T) v1alpha1.Email {
		return v1alpha1.Email{
			Value:   rapid.StringMatching(`[a-e]@example\.(com|org)`).Draw(t, "value"),
			Type:    rapid.SampledFrom([]string{"", "work", "home"}).Draw(t, "type"),
			Display: rapid.SampledFrom([]string{"", "X"}).Draw(t, "display"),
		}
	})
	someSpec = rapid.Custom(func(t *rapid.T) v1alpha1.LambdaTestUserSpec {
		spec := v1alpha1.LambdaTestUserSpec{
			UserName:         rapid.StringMatching(`[a-z]{1,8}@example\.com`).Draw(t, "userName"),
			Name:             v1alpha1.PersonName{GivenName: someText.Draw(t, "givenName"), FamilyName: someText.Draw(t, "familyName")},
			Role:             someRole.Draw(t, "role"),
			ConcurrencyGroup: rapid.SampledFrom([]string{"", "Team"}).Draw(t, "group"),
			ExternalID:       rapid.SampledFrom([]string{"", "00u1"}).Draw(t, "externalId"),
			DisplayName:      rapid.SampledFrom([]string{"", "Ada"}).Draw(t, "displayName"),
		}
		if rapid.Bool().Draw(t, "says active") {
			active := rapid.Bool().Draw(t, "active")
			spec.Active = &active
		}
		if rapid.Bool().Draw(t, "has emails") {
			spec.Emails = rapid.SliceOfNDistinct(someEmail, 0, 4, func(e v1alpha1.Email) string { return e.Value + e.Type }).Draw(t, "emails")
			if len(spec.Emails) > 0 && rapid.Bool().Draw(t, "primary") {
				spec.Emails[0].Primary = true
			}
		}
		return spec
	})
	someOperation = rapid.Custom(func(t *rapid.T) scim.Operation {
		return rapid.SampledFrom([]scim.Operation{
			{Verb: scim.Replace, Path: "displayName", Value: "Grace"},
			{Verb: scim.Add, Path: "name.givenName", Value: "Grace"},
			{Verb: scim.Remove, Path: "externalId"},
			{Verb: scim.Add, Path: "emails", Value: []any{map[string]any{"value": "new@example.com", "primary": true}}},
			{Verb: scim.Remove, Path: `emails[type eq "home"]`},
			{Verb: scim.Add, Path: `emails[type eq "work"].value`, Value: "work@example.com"},
			{Verb: scim.Replace, Path: `emails[type eq "other"].value`, Value: "other@example.com"},
			{Verb: scim.Replace, Path: "emails", Value: []any{}},
			{Verb: scim.Replace, Path: roleURN, Value: "guest"},
			{Verb: scim.Remove, Path: userExtension},
			{Verb: scim.Replace, Value: map[string]any{"active": "True", "title": "x"}},
		}).Draw(t, "operation")
	})
)

func viewOf(spec v1alpha1.LambdaTestUserSpec) *UserView {
	view := ada()
	view.User.Spec = spec
	return view
}

// What PATCH makes of a user is what a client reads afterwards, and writing that back changes nothing.
func TestPatchedUsersReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		view := viewOf(someSpec.Draw(t, "spec"))
		operations := rapid.SliceOfN(someOperation, 1, 5).Draw(t, "operations")
		spec, leftOut, err := PatchUser(operations).On(view.User, UserRules{})
		if err != nil || leftOut != nil {
			t.Fatal(err, leftOut)
		}
		text := UserType.Append(nil, viewOf(spec), scim.Projection{})
		body, err := scim.Decode(text, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := PutUser(body).On(viewOf(spec).User, UserRules{})
		if err != nil || !cmp.Equal(spec, again) {
			t.Fatalf("%v\n%s", err, cmp.Diff(spec, again))
		}
		shown, err := UserType.Read(body)
		if err != nil || !cmp.Equal(shown.Assigned(), userAttributes(&spec)) {
			t.Fatalf("%v\n%s", err, cmp.Diff(shown.Assigned(), userAttributes(&spec)))
		}
	})
}

// Adding an element that is not there, and removing it, leaves what was before.
func TestAddThenRemove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := someSpec.Draw(t, "spec")
		before := userAttributes(&spec)
		element := map[string]any{"value": "z" + rapid.StringMatching(`[a-z]{5}@example\.net`).Draw(t, "new"), "type": "other"}
		byFilter := fmt.Sprintf(`emails[value eq %q]`, element["value"])
		removal := rapid.SampledFrom([]scim.Operation{
			{Verb: scim.Remove, Path: byFilter},
			{Verb: scim.Remove, Path: "emails", Value: []any{map[string]any{"value": element["value"]}}},
		}).Draw(t, "removal")

		after, err := UserType.Patch(before, []scim.Operation{{Verb: scim.Add, Path: "emails", Value: element}, removal})

		if err != nil || !cmp.Equal(before, after) {
			t.Fatalf("%v\n%s", err, cmp.Diff(before, after))
		}
	})
}

// Applying the same operations again changes nothing: none of these appends blindly.
func TestPatchIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := someSpec.Draw(t, "spec")
		o := someOperation.Draw(t, "operation")
		once, err := UserType.Patch(userAttributes(&spec), []scim.Operation{o})
		if err != nil {
			t.Fatal(err)
		}
		twice, err := UserType.Patch(once, []scim.Operation{o})
		if err != nil || !cmp.Equal(once, twice) {
			t.Fatalf("%v\n%s", err, cmp.Diff(once, twice))
		}
	})
}

// The order of keys in JSON means nothing.
func TestOrderOfKeysIsIrrelevant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		view := viewOf(someSpec.Draw(t, "spec"))
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(UserType.Append(nil, view, scim.Projection{}), &fields); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for key := range fields {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		keys = rapid.Permutation(keys).Draw(t, "order")
		text := "{"
		for i, key := range keys {
			if i > 0 {
				text += ","
			}
			text += fmt.Sprintf("%q:%s", key, fields[key])
		}
		body, err := scim.Decode([]byte(text+"}"), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		spec, _, err := PutUser(body).On(view.User, UserRules{})
		if err != nil || !cmp.Equal(spec, view.User.Spec) {
			t.Fatalf("%v\n%s", err, cmp.Diff(spec, view.User.Spec))
		}
	})
}

// A filter and its negation share the world between them.
func TestNegationIsTheComplement(t *testing.T) {
	terms := rapid.SampledFrom([]string{
		`userName co "a"`, `displayName pr`, `emails[type eq "work" and value co "com"]`, `emails.type ne "home"`, `active eq false`,
		roleURN + ` eq "Admin"`, `externalId eq null`, `title pr`,
	})
	rapid.Check(t, func(t *rapid.T) {
		view := viewOf(someSpec.Draw(t, "spec"))
		text := terms.Draw(t, "left") + rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "op") + terms.Draw(t, "right")
		matches := func(text string) bool {
			parsed, err := filter.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			match, err := UserType.Match(parsed)
			if err != nil {
				t.Fatal(err)
			}
			return match(view)
		}
		if matches(text) == matches("not ("+text+")") {
			t.Fatalf("%s", text)
		}
	})
}
