// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

// ada is a user with a value in every attribute.
func ada() *UserView {
	active := true
	return &UserView{
		Base: "https://scim.example.com/scim/v2",
		Groups: func(string) []*v1alpha1.LambdaTestGroup {
			group := &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "Engineers"}}
			group.Name = "scim-g"
			return []*v1alpha1.LambdaTestGroup{group}
		},
		User: &v1alpha1.LambdaTestUser{
			ObjectMeta: metav1.ObjectMeta{
				Name: "scim-abc", UID: "u-1", Generation: 3,
				CreationTimestamp: metav1.NewTime(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)),
				Annotations:       map[string]string{v1alpha1.LastModifiedAnnotation: "2026-02-28T12:00:00Z"},
			},
			Spec: v1alpha1.LambdaTestUserSpec{
				UserName: "Ada@Example.com", Name: v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"},
				DisplayName: "Ada L.", ExternalID: "00uA", Active: &active, Role: v1alpha1.RoleUser, ConcurrencyGroup: "Team",
				Emails: []v1alpha1.Email{
					{Value: "ada@example.com", Type: "work", Primary: true, Display: "Work"},
					{Value: "home@example.org", Type: "home"},
				},
			},
			Status: v1alpha1.LambdaTestUserStatus{Account: &v1alpha1.AccountState{Active: true, Role: "Admin"}},
		},
	}
}

func TestFilter(t *testing.T) {
	tests := []struct {
		filter  string
		matches bool
	}{
		// every operator on text, without regard to case unless CaseExact
		{`userName eq "ada@example.com"`, true},
		{`USERNAME EQ "ADA@EXAMPLE.COM"`, true},
		{`userName ne "ada@example.com"`, false},
		{`userName co "@EXAMPLE"`, true},
		{`userName sw "ada"`, true},
		{`userName ew ".com"`, true},
		{`userName ew ".org"`, false},
		{`userName gt "aaa"`, true},
		{`userName ge "ada@example.com"`, true},
		{`userName lt "aaa"`, false},
		{`userName le "ada@example.com"`, true},
		{`userName pr`, true},
		{`externalId eq "00uA"`, true},
		{`externalId eq "00ua"`, false},
		{`id eq "scim-abc"`, true},
		{`displayName eq null`, false},
		{`displayName ne null`, true},
		// complex attributes
		{`name.familyName eq "lovelace"`, true},
		{`name pr`, true},
		{`urn:ietf:params:scim:schemas:core:2.0:User:name.givenName sw "A"`, true},
		// multi-valued attributes: one element is enough, also one that is not equal (RFC 7644, section 3.4.2.2)
		{`emails eq "home@example.org"`, true},
		{`emails co "example.org"`, true},
		{`emails.type eq "home"`, true},
		{`emails.type ne "home"`, true},
		{`emails.display ne "x"`, true},
		{`emails ne null`, true},
		{`schemas ne "urn:ietf:params:scim:schemas:core:2.0:User"`, true},
		{`not (schemas pr)`, false},
		{`emails.type ne "fax"`, true},
		{`emails pr`, true},
		{`emails[type eq "work" and value co "@example.com"]`, true},
		{`emails[type eq "work" and value co "@example.org"]`, false},
		{`emails[type eq "home" and not (primary eq true)]`, true},
		{`emails[(type eq "fax" or type eq "work") and primary eq "True"]`, true},
		{`emails[type eq "work"].value eq "ADA@example.com"`, true},
		{`emails[type eq "home"].value eq "ada@example.com"`, false},
		{`groups eq "scim-g"`, true},
		{`groups.display sw "eng"`, true},
		{`roles eq "Admin"`, true},
		// booleans and times
		{`active eq true`, true},
		{`active eq "True"`, true},
		{`active ne false`, true},
		{`meta.created gt "2026-01-31T12:00:00+01:00"`, true},
		{`meta.created eq "2026-01-31T13:00:00+01:00"`, true},
		{`meta.lastModified lt "2026-02-01T00:00:00Z"`, false},
		{`meta.created sw "2026-01"`, true},
		{`meta.resourceType eq "User"`, true},
		// the extension
		{`urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User:OrganizationRole eq "user"`, true},
		{`urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User:LambdatestGroup eq "team"`, false},
		{`urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User pr`, true},
		// what the RFC has and nobody stores is absent
		{`title eq "x"`, false},
		{`title ne "x"`, true},
		{`title pr`, false},
		{`not (title pr)`, true},
		{`manager eq "x" or userName pr`, true},
		{`manager.value eq null`, true},
		{`phoneNumbers[type eq "mobile"].value eq "1"`, false},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "7"`, false},
		// precedence: not before and before or
		{`userName eq "x" and userName eq "y" or userName pr`, true},
		{`userName pr or userName eq "x" and userName eq "y"`, true},
		{`(userName pr or userName eq "x") and userName eq "y"`, false},
		{`not (userName eq "x") and userName pr`, true},
		{`  userName   eq   "ada@example.com"  `, true},
		{`displayName eq "\u0041da L."`, true},
	}
	for _, test := range tests {
		t.Run(test.filter, func(t *testing.T) {
			parsed, err := filter.Parse(test.filter)
			if err != nil {
				t.Fatal(err)
			}
			match, err := UserType.Match(parsed)
			if err != nil {
				t.Fatal(err)
			}
			if got := match(ada()); got != test.matches {
				t.Errorf("matches = %v, want %v", got, test.matches)
			}
		})
	}
}

// What a filter costs grows with its terms and with the members, and not with the time that it takes to find out who they are.
func TestMembersAreEvaluatedOnceForAFilter(t *testing.T) {
	asked := 0
	text := strings.Repeat(`members.value eq "x" or members.display co "y" or `, 49) + "members pr"
	parsed, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	match, err := GroupType.Match(parsed)
	if err != nil {
		t.Fatal(err)
	}
	view := &GroupView{Group: &v1alpha1.LambdaTestGroup{}, Members: func(*v1alpha1.LambdaTestGroup) []Member {
		asked++
		return []Member{{ID: "a", UserName: "b"}}
	}}
	if !match(view) || asked != 1 {
		t.Errorf("the members are evaluated %d times", asked)
	}
	user := ada()
	user.Groups = func(string) []*v1alpha1.LambdaTestGroup {
		asked++
		return nil
	}
	if parsed, err = filter.Parse(`groups.value eq "x" or groups.display co "y"`); err != nil {
		t.Fatal(err)
	}
	if match, err = UserType.Match(parsed); err != nil || match(user) || asked != 2 {
		t.Errorf("the groups are evaluated %d times, %v", asked-1, err)
	}
}

// A filter that is not understood is never answered with everybody, or with nobody: 400 invalidFilter.
func TestFilterNotUnderstood(t *testing.T) {
	for _, text := range []string{
		`userName`, `userName eq`, `userName eq x`, `userName is "x"`, `eq "x"`, `(userName pr`, `userName pr)`, `userName pr and`,
		`userName eq "x`, `userName eq "x" "y"`, `userName eq 'x'`, `userName  `, `"userName" eq "x"`, `userName eq "x" xor userName pr`,
		`userName == "x"`, `emails[type eq "work"`, `emails[]`, `emails[type eq "work"].`, `not userName pr`, `userName eq "\x"`,
		`password eq "x"`, `shoeSize eq "x"`, `emails.shoeSize eq "x"`, `name.shoeSize eq "x"`, `phoneNumbers.shoeSize eq "x"`,
		`phoneNumbers[shoeSize eq "x"]`, `urn:unknown:2.0:User:x eq "1"`, `userName.x eq "1"`, `displayName[value eq "x"]`,
		`urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User:ShoeSize eq 1`, `emails[name.givenName eq "x"]`,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:shoeSize pr`,
		`active gt true`, `active co "t"`, `active eq "maybe"`, `userName eq true`, `name eq "x"`, `userName gt null`,
		`meta.created gt "yesterday"`, strings.Repeat("(", 100) + `userName pr` + strings.Repeat(")", 100),
		strings.Repeat(`userName pr or `, 200) + `userName pr`, `userName eq "` + strings.Repeat("x", 10000) + `"`,
	} {
		t.Run(problem.Shorten(text), func(t *testing.T) {
			parsed, err := filter.Parse(text)
			if err == nil {
				_, err = UserType.Match(parsed)
			}
			if p := problem.As(err); p == nil || p.Kind != problem.KindInvalidFilter || p.Status != 400 {
				t.Errorf("got %v, want invalidFilter", err)
			}
		})
	}
}

func TestPinnedBy(t *testing.T) {
	for text, want := range map[string]string{
		`userName eq "a"`: "userName a",
		`active eq true and (userName eq "a" and title pr)`: "userName a",
		`id eq "x"`: "id x",
		`urn:ietf:params:scim:schemas:core:2.0:User:id eq "x"`: "id x",
		`userName eq "a" or userName eq "b"`:                   " ",
		`not (userName eq "a")`:                                " ",
		`userName ne "a"`:                                      " ",
		`emails[value eq "a"]`:                                 " ",
	} {
		parsed, err := filter.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		name, value := UserType.PinnedBy(parsed)
		if got := name + " " + value; got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	body, err := scim.Decode([]byte(text), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func rendered(t *testing.T, r *scim.ResourceType, v scim.Valuer, p scim.Projection) map[string]any {
	t.Helper()
	var result map[string]any
	text := r.Append(nil, v, p)
	if err := json.Unmarshal(text, &result); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return result
}

func equalJSON(a, b any) bool {
	normal := func(v any) any {
		text, _ := json.Marshal(v)
		var result any
		_ = json.Unmarshal(text, &result)
		return result
	}
	return reflect.DeepEqual(normal(a), normal(b))
}

func TestAnIdOfDigitsIsFoundWithoutQuotes(t *testing.T) {
	parsed, err := filter.Parse(`externalId eq 12345`)
	if err != nil {
		t.Fatal(err)
	}
	if match, err := UserType.Match(parsed); err != nil || !match(&UserView{User: &v1alpha1.LambdaTestUser{Spec: v1alpha1.LambdaTestUserSpec{ExternalID: "12345"}}}) {
		t.Errorf("not found: %v", err)
	}
}

func TestAnElementOfWhichNothingIsWantedIsLeftOut(t *testing.T) {
	user := &v1alpha1.LambdaTestUser{Spec: v1alpha1.LambdaTestUserSpec{UserName: "ada@example.com", Emails: []v1alpha1.Email{{Value: "a@example.com"}, {Value: "b@example.com", Display: "B"}}}}
	shown := rendered(t, UserType, &UserView{User: user}, UserType.Project([]string{"emails.display"}, nil))
	if emails, _ := shown["emails"].([]any); len(emails) != 1 {
		t.Errorf("emails: %v", shown["emails"])
	}
	user.Spec.Emails = user.Spec.Emails[:1]
	if shown := rendered(t, UserType, &UserView{User: user}, UserType.Project([]string{"emails.display"}, nil)); shown["emails"] != nil {
		t.Errorf("emails: %v", shown["emails"])
	}
}

func TestAnEmptyListIsUnassigned(t *testing.T) {
	user := &v1alpha1.LambdaTestUser{Spec: v1alpha1.LambdaTestUserSpec{UserName: "ada@example.com", DisplayName: "Ada", Name: v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"}}}
	if spec, _, err := PutUser(decoded(t, `{"displayName":[]}`)).On(user, UserRules{}); err != nil || spec.DisplayName != "" {
		t.Errorf("displayName %q: %v", spec.DisplayName, err)
	}
}
