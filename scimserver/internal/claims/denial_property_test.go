// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"encoding/json"
	"maps"
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

// odd are attributes, unknown ones among them, most of which cannot be stored.
func odd(t *rapid.T) map[string]any {
	return maps.Clone(rapid.SampledFrom([]map[string]any{
		{}, {"emails": 7}, {"emails": []any{map[string]any{"type": "home", "value": nil}}}, {"displayName": []any{"a", "b"}}, {"name": "Ada"},
		{"title": "Countess"}, {"nickName": map[string]any{"active": true}}, {"externalId": strings.Repeat("x", 300)},
		{userExtension: map[string]any{"OrganizationRole": "Owner"}}, {userExtension + ":OrganizationRole": 7}, {"": nil}, {"emails[": "x"},
	}).Draw(t, "odd"))
}

// denying are fields of a user that say active: false, somewhere; others may say true.
func denying(t *rapid.T) map[string]any {
	fields := odd(t)
	if rapid.Bool().Draw(t, "also true") {
		fields[activeKey(t)] = boolean(t, true)
	}
	saysFalse := map[string]any{activeKey(t): boolean(t, false)}
	if !rapid.Bool().Draw(t, "nested") {
		maps.Copy(fields, saysFalse)
		if rapid.Bool().Draw(t, "nested true") {
			fields[spelled(t, userSchema)] = map[string]any{activeKey(t): boolean(t, true)}
		}
		return fields
	}
	fields[spelled(t, userSchema)] = saysFalse
	return fields
}

// asSent is what the endpoint decodes of a body that a client encodes.
func asSent(t *rapid.T, body map[string]any) map[string]any {
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
			body["userName"] = "ada@example.com"
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
		into := body
		for schema, nested := range body {
			if inner, ok := nested.(map[string]any); ok && strings.EqualFold(schema, userSchema) && rapid.Bool().Draw(t, "userName nested") {
				into = inner
			}
		}
		into[key] = name
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
		operation := map[string]any{spelled(t, "op"): verb(t)}
		switch rapid.IntRange(0, 2).Draw(t, "form") {
		case 0:
			operation[spelled(t, "path")], operation["value"] = path(t, activeKey(t)), boolean(t, false)
		case 1:
			operation[spelled(t, "path")], operation["value"] = path(t, spelled(t, userSchema)), denying(t)
		default:
			operation["value"] = denying(t)
			if rapid.Bool().Draw(t, "in a list") {
				operation["value"] = []any{operation["value"]}
			}
		}
		return operation
	}
	beside := func(t *rapid.T) any {
		return rapid.SampledFrom([]any{
			"x", 7, nil, map[string]any{}, map[string]any{"op": "replace"}, map[string]any{"op": "add", "path": []any{"displayName"}, "value": "x"},
			map[string]any{"op": "move", "path": "active", "value": true}, map[string]any{"path": "active", "value": true},
			map[string]any{"op": "replace", "path": 7, "value": map[string]any{"active": true}}, map[string]any{"op": "remove", "path": "active"},
			map[string]any{"op": "replace", "path": "emails[", "value": "x"}, map[string]any{"op": "replace", "path": "displayName", "value": "Ada"},
			map[string]any{"op": "remove"}, map[string]any{"op": "replace", "path": "active"}, map[string]any{"op": "replace", "value": odd(t)},
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
		body := asSent(t, map[string]any{"Operations": operations})
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
