// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

func TestUserRoundTrip(t *testing.T) {
	for name, change := range map[string]func(*v1alpha1.LambdaTestUserSpec){
		"everything set":    func(*v1alpha1.LambdaTestUserSpec) {},
		"active unset":      func(s *v1alpha1.LambdaTestUserSpec) { s.Active = nil },
		"inactive":          func(s *v1alpha1.LambdaTestUserSpec) { no := false; s.Active = &no },
		"e-mails never set": func(s *v1alpha1.LambdaTestUserSpec) { s.Emails = nil },
		"e-mails removed":   func(s *v1alpha1.LambdaTestUserSpec) { s.Emails = []v1alpha1.Email{} },
		"no extension":      func(s *v1alpha1.LambdaTestUserSpec) { s.Role, s.ConcurrencyGroup = "", "" },
		"nothing that is not required": func(s *v1alpha1.LambdaTestUserSpec) {
			*s = v1alpha1.LambdaTestUserSpec{UserName: s.UserName, Name: s.Name}
		},
	} {
		t.Run(name, func(t *testing.T) {
			view := ada()
			change(&view.User.Spec)
			body := decoded(t, string(UserType.Append(nil, view, scim.Projection{})))
			stored := *view.User.Spec.DeepCopy()
			change := PutUser(body)

			spec, leftOut, err := change.On(view.User, UserRules{})

			if err != nil || leftOut != nil {
				t.Fatal(err, leftOut)
			}
			if !cmp.Equal(spec, stored) {
				t.Errorf("a PUT of what GET gave changes\n%s", cmp.Diff(stored, spec))
			}
		})
	}
}

// What the schema refuses is the client's mistake, and no error of the server. What is stored from before there was a limit stays.
func TestEmailsHaveTheLimitsOfTheSchema(t *testing.T) {
	addresses := func(count int, character string, length int) (emails []v1alpha1.Email) {
		for i := range count {
			emails = append(emails, v1alpha1.Email{Value: fmt.Sprintf("%02d", i) + strings.Repeat(character, length-2)})
		}
		return emails
	}
	for name, test := range map[string]struct {
		stored, sent []v1alpha1.Email
		kind         problem.Kind
	}{
		"the longest of a person": {sent: addresses(10, "a", 254)},
		"too many":                {sent: addresses(11, "a", 20), kind: problem.KindInvalidValue},
		"too many bytes":          {sent: addresses(10, "😀", 105), kind: problem.KindInvalidValue},
		"as stored":               {stored: addresses(20, "😀", 320), sent: addresses(20, "😀", 320)},
		"more than stored":        {stored: addresses(20, "a", 20), sent: addresses(21, "a", 20), kind: problem.KindInvalidValue},
	} {
		t.Run(name, func(t *testing.T) {
			view := ada()
			view.User.Spec.Emails = test.sent
			body := decoded(t, string(UserType.Append(nil, view, scim.Projection{})))
			view.User.Spec.Emails, view.User.Spec.DisplayName = test.stored, "another"
			_, _, err := PutUser(body).On(view.User, UserRules{})
			if p := problem.As(err); err != nil && (p == nil || p.Kind != test.kind) || err == nil && test.kind != "" {
				t.Errorf("error %v, want kind %q", err, test.kind)
			}
		})
	}
}

// A value is not shown that a write of it would not change: the role in force is read-only, and the claimed one is what a write sets.
func TestShownRoleIsTheClaimedOne(t *testing.T) {
	view := ada()
	view.User.Status.Effective = &v1alpha1.EffectiveState{Active: true, Role: v1alpha1.RoleAdmin, RoleFrom: "LambdaTestGroup/admins"}
	shown := rendered(t, UserType, view, scim.Projection{})
	if got := shown[userExtension].(map[string]any)[organizationRoleName]; got != "User" {
		t.Errorf("%s = %v, want the claim's User", organizationRoleName, got)
	}
	if !equalJSON(shown["roles"], []any{map[string]any{"value": "Admin", "primary": true}}) {
		t.Errorf("roles = %v, want the one in force", shown["roles"])
	}
}

func TestRender(t *testing.T) {
	view := ada()
	view.User.Spec.DisplayName = "\"\\\u0000<é\u2028\U0001F600"
	shown := rendered(t, UserType, view, scim.Projection{})
	if shown["displayName"] != view.User.Spec.DisplayName {
		t.Errorf("displayName = %q", shown["displayName"])
	}
	want := map[string]any{
		"resourceType": "User", "created": "2026-01-31T12:00:00Z", "lastModified": "2026-02-28T12:00:00Z",
		"version": view.Value("meta.version"), "location": "https://scim.example.com/scim/v2/Users/scim-abc",
	}
	if version, _ := view.Value("meta.version").(string); ResourceETags([]string{version, `*`})[0] != `W/"u-1.3"` || version == `W/"u-1.3"` {
		t.Errorf("version %s", version)
	}
	if !equalJSON(shown["meta"], want) {
		t.Errorf("meta = %v", shown["meta"])
	}
	for _, absent := range []string{"password", "title"} {
		if _, there := shown[absent]; there {
			t.Errorf("%s is shown", absent)
		}
	}
}

func TestReadBody(t *testing.T) {
	tests := []struct {
		name, body string
		want       scim.Object
		kind       problem.Kind
	}{
		{name: "any case", body: `{"USERNAME":"a","Name":{"GIVENNAME":"b"}}`, want: scim.Object{"userName": "a", "name": scim.Object{"givenName": "b"}}},
		{name: "dotted and URN keys", body: `{"name.givenName":"b","` + roleURN + `":"guest"}`, want: scim.Object{"name": scim.Object{"givenName": "b"}, userExtension: scim.Object{organizationRoleName: "Guest"}}},
		{name: "core attributes by their schema", body: `{"` + userSchema + `":{"userName":"a"}}`, want: scim.Object{"userName": "a"}},
		{name: "null, the empty string and the empty list are unassigned", body: `{"displayName":null,"externalId":"","emails":[]}`, want: scim.Object{"displayName": nil, "externalId": nil, "emails": nil}},
		{name: "elements that are nothing", body: `{"emails":[null,{},{"value":""},{"value":"a"}]}`, want: scim.Object{"emails": []any{scim.Object{"value": "a"}}}},
		{name: "read-only and unknown", body: `{"id":"x","meta":{"version":7},"schemas":7,"groups":7,"roles":[],"shoeSize":38,"urn:a:b":{"c":1},"password":"p","locale":"en"}`, want: scim.Object{}},
		{name: "the same twice is no conflict", body: `{"displayName":"a","DisplayName":"a"}`, want: scim.Object{"displayName": "a"}},
		{name: "differently twice is", body: `{"displayName":"a","DisplayName":"b"}`, kind: problem.KindInvalidValue},
		{name: "the same key twice is the same", body: `{"displayName":"a","displayName":"a"}`, want: scim.Object{"displayName": "a"}},
		{name: "the same key with two values is not", body: `{"displayName":"a","displayName":"b"}`, kind: problem.KindInvalidValue},
		{name: "a key of an object with two values is not", body: `{"name":{"givenName":"a","givenName":"b"}}`, kind: problem.KindInvalidValue},
		{name: "an attribute at two places", body: `{"displayName":"a","` + userSchema + `":{"displayName":"b"}}`, kind: problem.KindInvalidValue},
		{name: "an unknown key with two values is ignored", body: `{"shoeSize":38,"shoeSize":39}`, want: scim.Object{}},
		{name: "a number for a string", body: `{"displayName":7}`, kind: problem.KindInvalidValue},
		{name: "a string for an object", body: `{"name":"Ada"}`, kind: problem.KindInvalidValue},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := UserType.Read(decoded(t, test.body))
			if p := problem.As(err); err != nil && (p == nil || p.Kind != test.kind) || err == nil && test.kind != "" {
				t.Fatalf("error %v, want kind %q", err, test.kind)
			}
			if err == nil && !cmp.Equal(got, test.want) {
				t.Errorf("got - want +\n%s", cmp.Diff(got, test.want))
			}
		})
	}
}

func acmeID(userName string) string { return v1alpha1.SCIMUserName("acme", userName) }

// onlyHidden is a provider that is shown all members but one.
func onlyHidden(hidden string) func([]string) (map[string]bool, error) {
	return func([]string) (map[string]bool, error) { return map[string]bool{hidden: true}, nil }
}

func applied(group *v1alpha1.LambdaTestGroup, rules GroupRules, change GroupChange) (v1alpha1.LambdaTestGroupSpec, error) {
	work := WorkOn(group, rules)
	_, err := work.Apply(context.Background(), change) //nolint:forbidigo // fixtures without a test call this, and nothing waits
	return work.Group.Spec, err
}

func TestGroupRules(t *testing.T) {
	people := map[string]string{}
	for i := range 5 {
		userName := fmt.Sprintf("p%d@example.com", i)
		people[v1alpha1.SCIMUserName("acme", userName)] = userName
	}
	rules := GroupRules{
		ID: acmeID, MaxRole: v1alpha1.RoleUser,
		CheckDisplayName: func(name string) error {
			if name == "taken" {
				return problem.Taken("a group with this displayName exists")
			}
			return nil
		},
		UserNames: func(ids []string) (map[string]string, error) {
			found := map[string]string{}
			for _, id := range ids {
				if people[id] == "" {
					return nil, problem.BadValue("members: %s", id)
				}
				found[id] = people[id]
			}
			return found, nil
		},
	}
	id := func(i int) string { return v1alpha1.SCIMUserName("acme", fmt.Sprintf("p%d@example.com", i)) }
	group := &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "G", Members: []string{"p0@example.com", "gone@example.com"}}}
	gone := v1alpha1.SCIMUserName("acme", "gone@example.com")
	rules.Hidden = onlyHidden(gone)
	tests := []struct {
		name string
		ops  string
		want []string
		kind problem.Kind
	}{
		{name: "add", ops: `{"op":"add","path":"members","value":[{"value":"` + id(1) + `"}]}`, want: []string{"p0@example.com", "gone@example.com", "p1@example.com"}},
		{name: "add without a path", ops: `{"op":"add","value":{"members":[{"value":"` + id(1) + `"}]}}`, want: []string{"p0@example.com", "gone@example.com", "p1@example.com"}},
		{name: "add twice", ops: `{"op":"add","path":"members","value":[{"value":"` + id(1) + `"},{"value":"` + id(1) + `"}]}`, want: []string{"p0@example.com", "gone@example.com", "p1@example.com"}},
		{name: "add as a string", ops: `{"op":"add","path":"members","value":"` + id(1) + `"}`, want: []string{"p0@example.com", "gone@example.com", "p1@example.com"}},
		{name: "add somebody unknown", ops: `{"op":"add","path":"members","value":[{"value":"x"}]}`, kind: problem.KindInvalidValue},
		{name: "add and remove somebody unknown in one", ops: `{"op":"add","path":"members","value":[{"value":"x"}]},{"op":"remove","path":"members[value eq \"x\"]"}`, want: []string{"p0@example.com", "gone@example.com"}},
		{name: "add who is there and unknown here", ops: `{"op":"add","path":"members","value":[{"value":"` + gone + `"}]}`, want: []string{"p0@example.com", "gone@example.com"}},
		{name: "Okta's add: id and displayName, then members", ops: `{"op":"replace","value":{"id":"x","displayName":"G"}},{"op":"add","path":"members","value":[{"value":"` + id(1) + `","display":"x"}]}`, want: []string{"p0@example.com", "gone@example.com", "p1@example.com"}},
		{name: "a delta and a replacement keep their order", ops: `{"op":"add","path":"members","value":[{"value":"` + id(1) + `"}]},{"op":"replace","path":"members","value":[{"value":"` + id(2) + `"}]},{"op":"add","path":"members","value":[{"value":"` + id(3) + `"}]}`, want: []string{"gone@example.com", "p2@example.com", "p3@example.com"}},
		{name: "remove by display", ops: `{"op":"remove","path":"members[display eq \"P0@example.com\"]"}`, want: []string{"gone@example.com"}},
		{name: "remove all keeps who is not shown", ops: `{"op":"remove","path":"members"}`, want: []string{"gone@example.com"}},
		{name: "replace keeps who is not shown", ops: `{"op":"replace","path":"members","value":[{"value":"` + id(2) + `"}]}`, want: []string{"gone@example.com", "p2@example.com"}},
		{name: "replace by nobody", ops: `{"op":"replace","path":"members","value":[]}`, want: []string{"gone@example.com"}},
		{name: "replace without a path", ops: `{"op":"replace","value":{"MEMBERS":[{"value":"` + id(2) + `"}]}}`, want: []string{"gone@example.com", "p2@example.com"}},
		{name: "remove who is not shown, by id", ops: `{"op":"remove","path":"members","value":[{"value":"` + gone + `"}]}`, want: []string{"p0@example.com"}},
		{name: "change of an id", ops: `{"op":"replace","path":"members[value eq \"` + id(0) + `\"].value","value":"` + id(1) + `"}`, kind: problem.KindMutability},
		{name: "a taken name", ops: `{"op":"replace","path":"displayName","value":"taken"}`, kind: problem.KindUniqueness},
		{name: "no name", ops: `{"op":"remove","path":"displayName"}`, kind: problem.KindMutability},
		{name: "a role above maxRole", ops: `{"op":"add","path":"` + groupExtension + `:LambdatestRoles","value":["Admin"]}`, kind: problem.KindInvalidValue},
		{name: "a role that is none", ops: `{"op":"add","path":"` + groupExtension + `:LambdatestRoles","value":["Emperor"]}`, kind: problem.KindInvalidValue},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			operations, err := scim.ReadPatch(decoded(t, `{"Operations":[`+test.ops+`]}`))
			if err != nil {
				t.Fatal(err)
			}
			spec, err := applied(group, rules, PatchGroup(operations))
			if p := problem.As(err); err != nil && (p == nil || p.Kind != test.kind) || err == nil && test.kind != "" {
				t.Fatalf("error %v, want kind %q", err, test.kind)
			}
			if err == nil && !cmp.Equal(spec.Members, test.want) {
				t.Errorf("got - want +\n%s", cmp.Diff(spec.Members, test.want))
			}
		})
	}
}

func TestGroupRoles(t *testing.T) {
	rules := GroupRules{ID: acmeID, CheckDisplayName: func(string) error { return nil }, UserNames: func([]string) (map[string]string, error) { return nil, nil }}
	spec := v1alpha1.LambdaTestGroupSpec{}
	for _, step := range []struct {
		ops  string
		want []v1alpha1.Role
	}{
		{`{"op":"add","path":"displayName","value":"G"},{"op":"replace","path":"` + groupExtension + `:LambdatestRoles","value":["admin","User","Admin"]}`, []v1alpha1.Role{"Admin", "User"}},
		{`{"op":"add","path":"` + groupExtension + `:LambdatestRoles","value":"Guest"}`, []v1alpha1.Role{"Admin", "User", "Guest"}},
		{`{"op":"add","value":{"` + groupExtension + `":{"LambdatestRoles":["Guest"]}}}`, []v1alpha1.Role{"Guest"}},
		{`{"op":"Replace","path":"` + groupExtension + `:LambdatestRoles","value":[{"value":"Admin"}]}`, []v1alpha1.Role{"Admin"}},
		{`{"op":"remove","path":"` + groupExtension + `:LambdatestRoles","value":["Admin"]}`, nil},
	} {
		operations, err := scim.ReadPatch(decoded(t, `{"Operations":[`+step.ops+`]}`))
		if err != nil {
			t.Fatal(err)
		}
		group := &v1alpha1.LambdaTestGroup{Spec: spec}
		if spec, err = applied(group, rules, PatchGroup(operations)); err != nil {
			t.Fatal(step.ops, err)
		}
		if !cmp.Equal(spec.Roles, step.want) {
			t.Errorf("%s: got %v, want %v", step.ops, spec.Roles, step.want)
		}
	}
}

func TestAnAddressWithoutAValueIsLeftOut(t *testing.T) {
	for _, nothing := range []string{`{"type":"home","value":null}`, `{"type":"home","value":""}`, `{"type":"home"}`} {
		body := decoded(t, `{"userName":"ada@example.com","name":{"givenName":"Ada","familyName":"Lovelace"},"emails":[{"value":"ada@example.com","type":"work"},`+nothing+`]}`)
		post, err := PostUser(body, UserRules{})
		if err != nil || len(post.Spec.Emails) != 1 || post.Spec.Emails[0].Value != "ada@example.com" {
			t.Errorf("%s: %+v, %v", nothing, post, err)
		}
	}
}

// Until emails are set, the userName is shown as one, if it is an address. A PUT without emails sets none; one that removes them does.
func TestEmailsThatWereNeverSetStayTheUserName(t *testing.T) {
	shown := func(spec v1alpha1.LambdaTestUserSpec) []v1alpha1.Email { return shownEmails(&spec) }
	never := adaWith("")
	for body, want := range map[string]int{
		`{"active":true}`:                        1,
		`{"userName":"ada@example.com"}`:         1,
		`{"emails":[]}`:                          0,
		`{"emails":[{"value":"b@example.com"}]}`: 1,
		`{"displayName":"Ada","active":"true"}`:  1,
	} {
		spec, _, err := PutUser(decoded(t, body)).On(never, UserRules{})
		if err != nil || len(shown(spec)) != want {
			t.Errorf("PUT %s of a user without emails: %v is shown, want %d: %v", body, shown(spec), want, err)
		}
	}
	removed, _, err := PatchUser([]scim.Operation{{Verb: scim.Remove, Path: "emails"}}).On(never, UserRules{})
	if err != nil || len(shown(removed)) != 0 {
		t.Errorf("after PATCH remove %v is shown: %v", shown(removed), err)
	}
	set := adaWith("")
	set.Spec.Emails = []v1alpha1.Email{{Value: "b@example.com"}}
	if spec, _, err := PutUser(decoded(t, `{"active":true}`)).On(set, UserRules{}); err != nil || len(shown(spec)) != 0 {
		t.Errorf("a PUT without emails clears those that were set: %v is shown: %v", shown(spec), err)
	}
	noAddress := adaWith("")
	noAddress.Spec.UserName = "ada"
	if got := shown(noAddress.Spec); len(got) != 0 {
		t.Errorf("a userName that is no address is shown as %v", got)
	}
}
