// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// advertised is an attribute as /Schemas tells it to a client, with nothing that this package knows besides.
type advertised struct {
	Name          string       `json:"name"`
	Type          string       `json:"type"`
	MultiValued   bool         `json:"multiValued"`
	Required      bool         `json:"required"`
	Mutability    string       `json:"mutability"`
	Canonical     []string     `json:"canonicalValues"`
	SubAttributes []advertised `json:"subAttributes"`
}

type advertisedSchema struct {
	ID         string       `json:"id"`
	Attributes []advertised `json:"attributes"`
}

func advertisedSchemas(t *testing.T) []advertisedSchema {
	t.Helper()
	text, err := json.Marshal(scim.SchemaDocuments("https://scim.example.com/scim/v2", UserType, GroupType))
	if err != nil {
		t.Fatal(err)
	}
	var schemas []advertisedSchema
	if err := json.Unmarshal(text, &schemas); err != nil {
		t.Fatal(err)
	}
	return schemas
}

// fixture is a resource under test: what a client sees of it, and what a PATCH makes of it.
type fixture struct {
	resources *scim.ResourceType
	view      func() scim.Valuer
	patch     func(scim.Operation) (scim.Valuer, error)
}

func fixtureFor(schema string) fixture {
	if schema == groupSchema || schema == groupExtension {
		return groupFixture()
	}
	return fixture{
		resources: UserType,
		view:      func() scim.Valuer { return ada() },
		patch: func(o scim.Operation) (scim.Valuer, error) {
			view := ada()
			spec, _, err := PatchUser([]scim.Operation{o}).On(view.User, UserRules{})
			view.User.Spec = spec
			return view, err
		},
	}
}

func groupFixture() fixture {
	other := "grace@example.com"
	id := v1alpha1.SCIMUserName("acme", other)
	view := func(spec v1alpha1.LambdaTestGroupSpec) *GroupView {
		return &GroupView{
			Group: &v1alpha1.LambdaTestGroup{Spec: spec},
			Members: func(g *v1alpha1.LambdaTestGroup) []Member {
				var members []Member
				for _, userName := range g.Spec.Members {
					members = append(members, Member{v1alpha1.SCIMUserName("acme", userName), userName})
				}
				return members
			},
		}
	}
	spec := v1alpha1.LambdaTestGroupSpec{DisplayName: "G", Roles: []v1alpha1.Role{"Guest"}, Members: []string{"ada@example.com"}}
	rules := GroupRules{
		ID: idInAcme, CheckDisplayName: func(string) error { return nil },
		UserNames: func([]string) (map[string]string, error) { return map[string]string{id: other}, nil },
	}
	return fixture{
		resources: GroupType,
		view:      func() scim.Valuer { return view(spec) },
		patch: func(o scim.Operation) (scim.Valuer, error) {
			changed, err := PatchGroup([]scim.Operation{o}).On(&v1alpha1.LambdaTestGroup{Spec: *spec.DeepCopy()}, rules, func(string) bool { return false })
			return view(changed), err
		},
	}
}

// For every attribute that /Schemas advertises: it is there once filled, add, replace and remove do what its mutability says, a filter
// finds the resource by it, and a projection shows it alone.
func TestEveryAdvertisedAttribute(t *testing.T) {
	count := 0
	for _, schema := range advertisedSchemas(t) {
		for _, a := range schema.Attributes {
			name := a.Name
			if schema.ID == userExtension || schema.ID == groupExtension {
				name = schema.ID + ":" + a.Name
			}
			count++
			t.Run(name, func(t *testing.T) { checkAttribute(t, fixtureFor(schema.ID), name, a) })
			for _, sub := range a.SubAttributes {
				count++
				t.Run(name+"."+sub.Name, func(t *testing.T) { checkSubAttribute(t, fixtureFor(schema.ID), name, a, sub) })
			}
		}
	}
	if count < 28 {
		t.Errorf("only %d attributes are advertised", count)
	}
}

func checkAttribute(t *testing.T, f fixture, path string, a advertised) {
	before := f.view().Value(path)
	if before == nil {
		t.Fatal("the fixture does not fill it")
	}
	value := freshValue(f, path, a)
	for _, verb := range []string{scim.Add, scim.Replace} {
		after, err := f.patch(scim.Operation{Verb: verb, Path: path, Value: value})
		checkWrite(t, f, verb, path, a.Mutability, before, after, err, value, a)
	}
	after, err := f.patch(scim.Operation{Verb: scim.Remove, Path: path})
	checkRemove(t, f, path, a.Mutability, a.Required, before, after, err)
	if a.Type != "complex" {
		checkFilter(t, f, path, before, a)
	} else {
		checkMatches(t, f, path+" pr")
	}
	checkProjection(t, f, path)
}

func checkSubAttribute(t *testing.T, f fixture, parent string, a, sub advertised) {
	path := parent + "." + sub.Name
	var before any
	if a.MultiValued {
		before = firstElement(f.view().Value(parent), sub.Name)
	} else {
		before = f.view().Value(path)
	}
	if before == nil {
		t.Fatal("the fixture does not fill it")
	}
	checkFilter(t, f, path, before, sub)
	checkProjection(t, f, path)
	if a.MultiValued {
		return // elements are patched as wholes in checkAttribute, and by their parts in TestPatchUser
	}
	value := freshValue(f, path, sub)
	for _, verb := range []string{scim.Add, scim.Replace} {
		after, err := f.patch(scim.Operation{Verb: verb, Path: path, Value: value})
		checkWrite(t, f, verb, path, sub.Mutability, before, after, err, value, sub)
	}
	after, err := f.patch(scim.Operation{Verb: scim.Remove, Path: path})
	checkRemove(t, f, path, sub.Mutability, sub.Required, before, after, err)
}

func firstElement(value any, name string) any {
	list, _ := value.(scim.Elements)
	for _, element := range list {
		if v := element.Value(name); v != nil {
			return v
		}
	}
	return nil
}

// freshValue is a value of the advertised type that the fixture does not have.
func freshValue(f fixture, path string, a advertised) any {
	var value any
	switch {
	case a.Type == "boolean":
		value = false
	case a.Type == "complex" && path == "members":
		value = map[string]any{"value": v1alpha1.SCIMUserName("acme", "grace@example.com")}
	case a.Type == "complex":
		fields := map[string]any{}
		for _, sub := range a.SubAttributes {
			fields[sub.Name] = freshValue(f, path+"."+sub.Name, sub)
		}
		value = fields
	case len(a.Canonical) > 0:
		value = a.Canonical[0]
	default:
		value = "fresh"
	}
	if a.MultiValued {
		value = []any{value}
	}
	return value
}

func checkWrite(t *testing.T, f fixture, verb, path, mutability string, before any, after scim.Valuer, err error, value any, a advertised) {
	t.Helper()
	switch mutability {
	case "immutable":
		if p := problem.As(err); p == nil || p.Kind != problem.KindMutability {
			t.Errorf("%s of an immutable attribute: %v", verb, err)
		}
	case "readOnly":
		if err != nil || !sameShown(after.Value(path), before) {
			t.Errorf("%s of a read-only attribute is not ignored: %v", verb, err)
		}
	default:
		if err != nil {
			t.Fatalf("%s: %v", verb, err)
		}
		if sameShown(after.Value(path), before) {
			t.Errorf("%s changes nothing", verb)
		}
		if a.Type != "complex" && !a.MultiValued && after.Value(path) != value {
			t.Errorf("%s: got %v, want %v", verb, after.Value(path), value)
		}
	}
}

func checkRemove(t *testing.T, f fixture, path, mutability string, required bool, before any, after scim.Valuer, err error) {
	t.Helper()
	switch {
	case mutability == "readOnly":
		if err != nil || !sameShown(after.Value(path), before) {
			t.Errorf("removing a read-only attribute is not ignored: %v", err)
		}
	case required || mutability == "immutable":
		if p := problem.As(err); p == nil || p.Kind != problem.KindMutability {
			t.Errorf("removing a required attribute: %v", err)
		}
	case err != nil || after.Value(path) != nil:
		t.Errorf("remove: %v, %v is left", err, after.Value(path))
	}
}

func sameShown(a, b any) bool {
	show := func(v any) string {
		list, ok := v.(scim.Elements)
		if !ok {
			return fmt.Sprint(v)
		}
		text := ""
		for _, element := range list {
			text += fmt.Sprint(element.Value("value"), element.Value("type"), element.Value("display"))
		}
		return text
	}
	return show(a) == show(b)
}

func checkFilter(t *testing.T, f fixture, path string, value any, a advertised) {
	t.Helper()
	if list, ok := value.([]any); ok {
		value = list[0]
	}
	text, _ := json.Marshal(value)
	checkMatches(t, f, path+" pr")
	checkMatches(t, f, path+" eq "+string(text))
	if a.Type != "boolean" && a.Type != "dateTime" {
		checkMatches(t, f, path+" co "+string(text))
		checkMatches(t, f, `not (`+path+` eq "no such value")`)
	}
}

func checkMatches(t *testing.T, f fixture, where string) {
	t.Helper()
	parsed, err := filter.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	match, err := f.resources.Match(parsed)
	if err != nil {
		t.Fatal(err)
	}
	if !match(f.view()) {
		t.Errorf("%s does not match", where)
	}
}

func checkProjection(t *testing.T, f fixture, path string) {
	t.Helper()
	whole := rendered(t, f.resources, f.view(), scim.Projection{})
	only := rendered(t, f.resources, f.view(), f.resources.Project([]string{path}, nil))
	without := rendered(t, f.resources, f.view(), f.resources.Project(nil, []string{path}))
	if len(only) != 3 { // id, schemas and the one
		t.Errorf("attributes=%s shows %v", path, only)
	}
	if cmp.Equal(whole, without) {
		t.Errorf("excludedAttributes=%s leaves nothing out", path)
	}
}

func TestSchemasTellTheTruth(t *testing.T) {
	byPath := map[string]advertised{}
	for _, schema := range advertisedSchemas(t) {
		for _, a := range schema.Attributes {
			byPath[schema.ID+":"+a.Name] = a
			for _, sub := range a.SubAttributes {
				byPath[schema.ID+":"+a.Name+"."+sub.Name] = sub
			}
		}
	}
	for _, required := range []string{"userName", "active", "name", "name.givenName", "name.familyName"} {
		if !byPath[userSchema+":"+required].Required {
			t.Errorf("%s is not advertised as required", required)
		}
	}
	if got := byPath[userSchema+":userName"].Mutability; got != "immutable" {
		t.Errorf("userName is advertised as %s", got)
	}
	if got := byPath[userExtension+":OrganizationRole"].Canonical; !cmp.Equal(got, []string{"Admin", "User", "Guest"}) {
		t.Errorf("OrganizationRole has canonicalValues %v", got)
	}
	for _, stored := range []string{"title", "password", "nickName", "addresses"} {
		if _, there := byPath[userSchema+":"+stored]; there {
			t.Errorf("%s is advertised and not stored", stored)
		}
	}
}

func TestDiscoveryHasNoNull(t *testing.T) {
	for _, d := range append(scim.SchemaDocuments("https://x", UserType, GroupType), UserType.Document("https://x"), GroupType.Document("https://x")) {
		if path := nullIn("", d); path != "" {
			t.Errorf("%s is null", path)
		}
	}
}

func nullIn(path string, value any) string {
	text, _ := json.Marshal(value)
	var decoded any
	_ = json.Unmarshal(text, &decoded)
	var find func(path string, v any) string
	find = func(path string, v any) string {
		switch v := v.(type) {
		case nil:
			return path
		case map[string]any:
			for key, inner := range v {
				if found := find(path+"."+key, inner); found != "" {
					return found
				}
			}
		case []any:
			for i, inner := range v {
				if found := find(fmt.Sprintf("%s[%d]", path, i), inner); found != "" {
					return found
				}
			}
		}
		return ""
	}
	return find(path, decoded)
}
