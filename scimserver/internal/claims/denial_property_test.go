// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// The generators of this file know the grammar of requests: how names and values may be spelled and nested, what may stand beside them, and
// what may be wrong with it. Each request that they make ends in active: false by some reading of it.

// spelled writes each letter of a name in upper or lower case.
func spelled(t *rapid.T, name string) string {
	upper := rapid.SliceOfN(rapid.Bool(), len(name), len(name)).Draw(t, "upper")
	letters := []rune(name)
	for i, letter := range letters {
		if upper[i] {
			letters[i] = unicode.ToUpper(letter)
		}
	}
	return string(letters)
}

// boolean is a spelling of a boolean that providers send.
func boolean(t *rapid.T, value bool) any {
	text := map[bool]string{true: "true", false: "false"}[value]
	plain := rapid.SampledFrom([]any{value, text, spelled(t, text), " " + text + " "}).Draw(t, "boolean")
	switch rapid.IntRange(0, 3).Draw(t, "wrapped") {
	case 0:
		return []any{plain}
	case 1:
		return map[string]any{"value": plain}
	}
	return plain
}

func activeKey(t *rapid.T) string {
	return spelled(t, rapid.SampledFrom([]string{"active", userSchema + ":active"}).Draw(t, "key"))
}

// field is a key of a JSON object and its value. The keys of an object may be the same.
type field struct {
	key   string
	value any
}

type fields []field

func (f fields) MarshalJSON() ([]byte, error) {
	text := []byte("{")
	for i, one := range f {
		key, _ := json.Marshal(one.key)
		value, err := json.Marshal(one.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, key...), ':'), value...)
	}
	return append(text, '}'), nil
}

// shuffled are fields in any order, some of them twice.
func (f fields) shuffled(t *rapid.T) fields {
	if len(f) > 0 && rapid.Bool().Draw(t, "one twice") {
		f = append(f, rapid.SampledFrom(f).Draw(t, "twice"))
	}
	return rapid.Permutation(f).Draw(t, "order")
}

// odd are attributes, unknown ones among them, most of which cannot be stored.
func odd(t *rapid.T) fields {
	return slices.Clone(rapid.SampledFrom([]fields{
		{}, {{"emails", 7}}, {{"emails", []any{fields{{"type", "home"}, {"value", nil}}}}}, {{"displayName", []any{"a", "b"}}}, {{"name", "Ada"}},
		{{"title", "Countess"}}, {{"nickName", fields{{"active", true}}}}, {{"externalId", strings.Repeat("x", 300)}},
		{{userExtension, fields{{"OrganizationRole", "Owner"}}}}, {{userExtension + ":OrganizationRole", 7}}, {{"", nil}}, {{"emails[", "x"}},
		{{"displayName", "A"}, {"displayName", "B"}}, {{userSchema, 7}}, {{userSchema, fields{}}}, {{"active", "maybe"}},
	}).Draw(t, "odd"))
}

// denying are fields of a user that say active: false, somewhere; others may say true, also under the same key.
func denying(t *rapid.T) fields {
	all, key := odd(t), activeKey(t)
	if rapid.Bool().Draw(t, "also true") {
		all = append(all, field{rapid.SampledFrom([]string{key, activeKey(t)}).Draw(t, "true key"), boolean(t, true)})
	}
	saysFalse, schema := fields{{key, boolean(t, false)}}, spelled(t, userSchema)
	if rapid.Bool().Draw(t, "nested true") {
		all = append(all, field{schema, fields{{activeKey(t), boolean(t, true)}}})
	}
	if rapid.Bool().Draw(t, "nested") {
		saysFalse = fields{{schema, saysFalse.shuffled(t)}}
	}
	return append(all, saysFalse...).shuffled(t)
}

// asSent is what the endpoint decodes of a body that a client encodes.
func asSent(t *rapid.T, body fields) map[string]any {
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := scim.Decode(encoded, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func stillActive(spec v1alpha1.LambdaTestUserSpec) bool { return spec.Active == nil || *spec.Active }

func TestAPutThatDeniesByAnyReadingDenies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := denying(t)
		if rapid.Bool().Draw(t, "has userName") {
			body = append(body, field{"userName", "ada@example.com"})
		}
		user := &v1alpha1.LambdaTestUser{Spec: someSpec.Draw(t, "user")}
		if spec, _, err := PutUser(asSent(t, body)).On(user, UserRules{}); err != nil || stillActive(spec) {
			t.Errorf("%v: the user is active: %v", body, err)
		}
	})
}

func TestAPostThatDeniesByAnyReadingDenies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := denying(t)
		name := rapid.SampledFrom([]any{"ada@example.com", []any{"ada@example.com"}, map[string]any{"value": "ada@example.com"}}).Draw(t, "userName")
		key := spelled(t, rapid.SampledFrom([]string{"userName", userSchema + ":userName"}).Draw(t, "key of userName"))
		into := slices.IndexFunc(body, func(f field) bool { _, ok := f.value.(fields); return ok && strings.EqualFold(f.key, userSchema) })
		if into >= 0 && rapid.Bool().Draw(t, "userName nested") {
			body[into].value = append(slices.Clone(body[into].value.(fields)), field{key, name})
		} else {
			body = append(body, field{key, name})
		}
		if post, err := PostUser(asSent(t, body), UserRules{}); err != nil || stillActive(post.Spec) || post.Spec.UserName != "ada@example.com" {
			t.Errorf("%v: the user would be active: %v", body, err)
		}
	})
}

// A PATCH denies if the last of its well-formed operations about active says false.
func TestAPatchThatDeniesByAnyReadingDenies(t *testing.T) {
	verb := func(t *rapid.T) string {
		return spelled(t, rapid.SampledFrom([]string{"add", "replace", " Replace "}).Draw(t, "op"))
	}
	blank := rapid.SampledFrom([]string{"", "", " ", "\t", "\n"})
	path := func(t *rapid.T, path string) string {
		return blank.Draw(t, "before") + path + blank.Draw(t, "after")
	}
	denial := func(t *rapid.T) any {
		operation := fields{{spelled(t, "op"), verb(t)}}
		var value func() any
		switch rapid.IntRange(0, 2).Draw(t, "form") {
		case 0:
			operation = append(operation, field{spelled(t, "path"), path(t, activeKey(t))})
			value = func() any { return boolean(t, rapid.Bool().Draw(t, "other value")) }
			operation = append(operation, field{"value", boolean(t, false)})
		case 1:
			operation = append(operation, field{spelled(t, "path"), path(t, spelled(t, userSchema))}, field{"value", denying(t)})
			value = func() any { return odd(t) }
		default:
			operation = append(operation, field{"value", denying(t)})
			value = func() any { return fields{{activeKey(t), boolean(t, true)}} }
			if rapid.Bool().Draw(t, "in a list") {
				operation[len(operation)-1].value = []any{operation[len(operation)-1].value}
			}
		}
		if rapid.Bool().Draw(t, "value twice") {
			operation = append(operation, field{"value", value()})
		}
		return rapid.Permutation(operation).Draw(t, "order of keys")
	}
	beside := func(t *rapid.T) any {
		return rapid.SampledFrom([]any{
			"x", 7, nil, map[string]any{}, map[string]any{"op": "replace"}, map[string]any{"op": "add", "path": []any{"displayName"}, "value": "x"},
			map[string]any{"op": "move", "path": "active", "value": true}, map[string]any{"path": "active", "value": true},
			map[string]any{"op": "replace", "path": 7, "value": map[string]any{"active": true}}, map[string]any{"op": "remove", "path": "active"},
			map[string]any{"op": "replace", "path": "emails[", "value": "x"}, map[string]any{"op": "replace", "path": "displayName", "value": "Ada"},
			map[string]any{"op": "remove"}, map[string]any{"op": "replace", "path": "active"}, fields{{"op", "replace"}, {"value", odd(t)}}, fields{{"op", "replace"}, {"op", "add"}, {"path", "active"}, {"value", true}},
			fields{{"op", "replace"}, {"path", "active"}, {"path", "displayName"}, {"value", true}},
		}).Draw(t, "beside")
	}
	rapid.Check(t, func(t *rapid.T) {
		var operations []any
		for range rapid.IntRange(0, 3).Draw(t, "before") {
			operations = append(operations, beside(t))
		}
		if rapid.Bool().Draw(t, "true before") {
			operations = append(operations, map[string]any{"op": "replace", "path": "active", "value": boolean(t, true)})
		}
		operations = append(operations, denial(t))
		for range rapid.IntRange(0, 3).Draw(t, "after") {
			operations = append(operations, beside(t))
		}
		body := asSent(t, fields{{"Operations", operations}})
		read, err := scim.ReadPatch(body)
		if err != nil {
			t.Fatal(err)
		}
		user := &v1alpha1.LambdaTestUser{Spec: someSpec.Draw(t, "user")}
		if spec, _, err := PatchUser(read).On(user, UserRules{}); err != nil || stillActive(spec) {
			t.Errorf("%v: the user is active: %v", operations, err)
		}
	})
}

// An operation without a known op is not applied, and is no denial itself.
func TestAMalformedOperationIsNoDenial(t *testing.T) {
	for _, operations := range []string{
		`{"path":"active","value":false}`, `{"op":"move","path":"active","value":false}`, `{"op":7,"value":{"active":false}}`,
		`{"op":"replace","path":["active"],"value":false}`, `{"op":"replace","path":"active"}`,
	} {
		read, err := scim.ReadPatch(decoded(t, `{"Operations":[`+operations+`]}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := PatchUser(read).On(&v1alpha1.LambdaTestUser{}, UserRules{}); err == nil {
			t.Errorf("%s is applied", operations)
		}
	}
}
