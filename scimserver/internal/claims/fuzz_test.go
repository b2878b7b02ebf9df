// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// Whatever a client sends is its own fault or fine: never a panic, never a 5xx.
func clientsFault(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if p := problem.As(err); p == nil || p.Status < 400 || p.Status > 499 || p.Detail == "" {
		t.Fatalf("not the client's fault: %v", err)
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`userName eq "a"`, `emails[type eq "work" and not (value co "x")].value pr`, `not (a pr or b gt 5) and c eq null`,
		`urn:ietf:params:scim:schemas:core:2.0:User:name.givenName sw "J"`, `meta.created ge "2011-05-13T04:42:34Z"`, `((((`, `a eq "\`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := filter.Parse(text)
		clientsFault(t, err)
		if err != nil {
			return
		}
		for _, r := range []*scim.ResourceType{UserType, GroupType} {
			match, err := r.Match(parsed)
			clientsFault(t, err)
			if err == nil && r == UserType {
				match(ada())
			}
			r.PinnedBy(parsed)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{
		`userName`, `emails[type eq "work"].value`, `members[value eq "x"]`, `urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User:OrganizationRole`,
		`$ref`, `a.b.c`, `urn:`, `[`, `emails[]`, `name[givenName eq "x"]`,
	} {
		f.Add(seed, `"x"`)
	}
	f.Fuzz(func(t *testing.T, path, value string) {
		var decoded any
		if json.Unmarshal([]byte(value), &decoded) != nil {
			return
		}
		for _, verb := range []string{scim.Add, scim.Replace, scim.Remove} {
			_, err := UserType.Patch(person(), []scim.Operation{{Verb: verb, Path: path, Value: decoded}})
			clientsFault(t, err)
		}
	})
}

func FuzzUserPatch(f *testing.F) {
	for _, seed := range []string{
		deny, `{"Operations":[{"op":"Replace","path":"active","value":"False"},{"op":"add","path":"emails[type eq \"work\"].value","value":"x"}]}`,
		`{"Operations":[{"op":"add","value":{"name.givenName":"x","emails":[{"value":"a"},null],"` + roleURN + `":"Admin"}}]}`,
		`{"Operations":[{"op":"remove","path":"emails","value":[{"value":"ada@example.com"}]}]}`, `{"Operations":{}}`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		body, err := scim.Decode(text, 1<<20)
		clientsFault(t, err)
		if err != nil {
			return
		}
		operations, err := scim.ReadPatch(body)
		clientsFault(t, err)
		if err == nil {
			checkChange(t, PatchUser(operations))
		}
	})
}

const deny = `{"Operations":[{"op":"replace","value":{"active":false}}]}`

func FuzzUserBody(f *testing.F) {
	for _, seed := range []string{
		`{"userName":"a@example.com","name":{"givenName":"A","familyName":"B"},"active":true}`, `{"active":"False","userName":7}`,
		`{"ACTIVE":false,"active":true}`, `{"emails":[{"value":"a","primary":true},{"value":"b","primary":"true"}]}`,
		`{"urn:ietf:params:scim:schemas:core:2.0:User":{"active":[false]},"name.givenName":"x"}`, `{"` + userExtension + `":{"OrganizationRole":"admin"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		body, err := scim.Decode(text, 1<<20)
		clientsFault(t, err)
		if err != nil {
			return
		}
		checkChange(t, PutUser(body))
		post, err := PostUser(body, UserRules{})
		clientsFault(t, err)
		if err != nil {
			return
		}
		clientsFault(t, post.LeftOut)
		checkSpec(t, post.Spec)
		if post.Denies && (post.Spec.Active == nil || *post.Spec.Active) {
			t.Fatal("a denial creates an active user")
		}
	})
}

// checkChange applies a change to a user in both states: a denial always denies, and what is stored comes back as it was sent.
func checkChange(t *testing.T, change UserChange) {
	t.Helper()
	view := ada()
	before := view.User.DeepCopy()
	spec, leftOut, err := change.On(view.User, UserRules{maxRole: v1alpha1.RoleUser})
	clientsFault(t, err)
	clientsFault(t, leftOut)
	if !reflect.DeepEqual(before, view.User) {
		t.Fatal("the stored user was changed in place")
	}
	denies := spec.Active != nil && !*spec.Active
	if change.Denies && (err != nil || !denies) {
		t.Fatalf("a denial does not deny: %v", err)
	}
	if err == nil && !change.Denies && denies {
		t.Fatal("a denial that nobody asked for")
	}
	if err == nil {
		checkSpec(t, spec)
	}
}

// checkSpec renders a spec and stores what a client reads: nothing may change.
func checkSpec(t *testing.T, spec v1alpha1.LambdaTestUserSpec) {
	t.Helper()
	view := ada()
	view.User.Spec = spec
	text := UserType.Append(nil, view, scim.Projection{})
	body, err := scim.Decode(text, 1<<20)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	again, leftOut, err := PutUser(body).On(view.User, UserRules{})
	if err != nil || leftOut != nil {
		t.Fatalf("an echo is refused: %v %v\n%s", err, leftOut, text)
	}
	if !cmp.Equal(spec, again) {
		t.Fatalf("an echo changes\n%s", cmp.Diff(spec, again))
	}
}

func FuzzGroupBody(f *testing.F) {
	for _, seed := range []string{
		`{"displayName":"G","members":[{"value":"a"},{"value":"a","$ref":null}]}`, `{"members":null}`, `{"members":"a"}`,
		`{"displayName":"G","` + groupExtension + `":{"LambdatestRoles":["Admin","admin"]}}`, `{"` + groupExtension + `:LambdatestRoles":"User"}`,
		`{"Operations":[{"op":"Add","path":"members","value":[{"$ref":null,"value":"x"}]},{"op":"remove","path":"members[value eq \"x\"]"}]}`,
		`{"Operations":[{"op":"replace","value":{"id":"x","displayName":"Y","members":[]}}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		body, err := scim.Decode(text, 1<<20)
		clientsFault(t, err)
		if err != nil {
			return
		}
		if change, err := PutGroup(body); err == nil {
			checkGroupChange(t, change)
		} else {
			clientsFault(t, err)
		}
		if operations, err := scim.ReadPatch(body); err == nil {
			checkGroupChange(t, PatchGroup(operations))
		} else {
			clientsFault(t, err)
		}
		_, err = PostGroup(body, fuzzRules())
		clientsFault(t, err)
	})
}

// fuzzRules know everybody: whoever is asked for has their id as a name.
func fuzzRules() GroupRules {
	return GroupRules{
		ID: idInAcme, CheckDisplayName: func(string) error { return nil },
		UserNames: func(ids []string) (map[string]string, error) {
			found := map[string]string{}
			for _, id := range ids {
				found[id] = id
			}
			return found, nil
		},
	}
}

func checkGroupChange(t *testing.T, change GroupChange) {
	t.Helper()
	group := &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "G", Members: []string{"a", "hidden", "b"}}}
	before := group.DeepCopy()
	hidden := v1alpha1.SCIMUserName("acme", "hidden")
	_, err := change.On(group, fuzzRules(), func(id string) bool { return id == hidden })
	clientsFault(t, err)
	if !reflect.DeepEqual(before, group) {
		t.Fatal("the stored group was changed in place")
	}
}
