// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Times of the tables.
var (
	hired  = metav1.NewTime(time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC))
	fired  = metav1.NewTime(time.Date(2026, 2, 1, 8, 0, 0, 0, time.UTC))
	wasOff = metav1.NewTime(time.Date(2026, 2, 1, 8, 0, 3, 0, time.UTC))
)

// claim is a resource about ada, with an account that is active, unless an option says otherwise.
func claim(name string, options ...func(*v1alpha1.LambdaTestUser)) *v1alpha1.LambdaTestUser {
	user := declared(name, "")
	user.Spec.UserName = "ada@example.com"
	user.CreationTimestamp, user.Generation, user.Status.ObservedGeneration = hired, 1, 1
	controllerutil.AddFinalizer(&user, v1alpha1.Finalizer)
	user.Status.AccountID, user.Status.Account = "7", &v1alpha1.AccountState{Active: true, Role: "User"}
	ready(v1alpha1.SyncedReason, "LambdaTest has what is wanted.")(&user)
	for _, option := range options {
		option(&user)
	}
	return &user
}

func ready(reason, message string) func(*v1alpha1.LambdaTestUser) {
	status := metav1.ConditionFalse
	switch reason {
	case v1alpha1.SyncedReason, v1alpha1.DeniedByAnotherClaimReason, v1alpha1.ObservedReason:
		status = metav1.ConditionTrue
	}
	return func(user *v1alpha1.LambdaTestUser) {
		user.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ReadyCondition, Status: status, Reason: reason, Message: message}}
	}
}

func ofProvider(user *v1alpha1.LambdaTestUser) {
	user.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
}

func imported(user *v1alpha1.LambdaTestUser) {
	user.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceImport}
	user.Spec.ManagementPolicy = v1alpha1.ManagementObserve
	ready(v1alpha1.ObservedReason, "This resource only observes an account that nobody claims.")(user)
}

func denying(user *v1alpha1.LambdaTestUser) {
	user.Spec.Active, user.Status.DeniedAt = new(false), &fired
}

func off(user *v1alpha1.LambdaTestUser) {
	user.Status.Account.Active, user.Status.OffAt = false, &wasOff
}

func withRole(role v1alpha1.Role) func(*v1alpha1.LambdaTestUser) {
	return func(user *v1alpha1.LambdaTestUser) { user.Spec.Role = role }
}

func byCommand(user *v1alpha1.LambdaTestUser) {
	user.Annotations = map[string]string{v1alpha1.DenialReasonAnnotation: "laptop stolen", v1alpha1.DeniedByAnnotation: "grace"}
	user.Spec.Name = v1alpha1.PersonName{}
}

func deleting(user *v1alpha1.LambdaTestUser) { user.DeletionTimestamp = &fired }

func adminsGroup() *v1alpha1.LambdaTestGroup {
	group := &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{
		OrganizationRef: v1alpha1.OrganizationReference{Name: defaultOrganization}, DisplayName: "Admins", Roles: []v1alpha1.Role{v1alpha1.RoleAdmin}, Members: []string{"ada@example.com"},
	}}
	group.Namespace, group.Name = "default", "admins"
	return group
}

// rosterOf is the organization default with those resources.
func rosterOf(groups []*v1alpha1.LambdaTestGroup, users ...*v1alpha1.LambdaTestUser) *roster {
	organization := v1alpha1.LambdaTestOrganization{}
	organization.Namespace, organization.Name = "default", defaultOrganization
	return &roster{namespace: "default", asOf: fired, organizations: []v1alpha1.LambdaTestOrganization{organization}, users: users, groups: groups}
}

func TestWho(t *testing.T) {
	admins := []*v1alpha1.LambdaTestGroup{adminsGroup()}
	for _, test := range []struct {
		name   string
		groups []*v1alpha1.LambdaTestGroup
		claims []*v1alpha1.LambdaTestUser
		want   string // the row without organization and userName
	}{
		{"a declared person", nil, []*v1alpha1.LambdaTestUser{claim("ada", withRole("User"))}, "7|User|yes|LambdaTestUser/ada|2026-01-01T08:00:00Z|ada"},
		{"a person of the identity provider", nil, []*v1alpha1.LambdaTestUser{claim("scim-a", ofProvider, withRole("User"))},
			"7|User|yes|identity provider|2026-01-01T08:00:00Z|scim-a"},
		{"a role of a group, which LambdaTest has not yet", admins, []*v1alpha1.LambdaTestUser{claim("scim-a", ofProvider)},
			"7|User (wanted: Admin)|yes|LambdaTestGroup/admins|2026-01-01T08:00:00Z|scim-a"},
		{"a denial that is carried out", nil, []*v1alpha1.LambdaTestUser{claim("ada", off), claim("scim-a", ofProvider, denying, off)},
			"7|User|no|denied by identity provider|2026-02-01T08:00:00Z|ada, scim-a (denies)"},
		{"a denial that is not carried out, whatever the reason says", nil,
			[]*v1alpha1.LambdaTestUser{claim("ada", denying, ready(v1alpha1.UpstreamUnavailableReason, ""))},
			"7|User|yes, although denied|denied by LambdaTestUser/ada|2026-02-01T08:00:00Z|ada (denies)"},
		{"a denied person whom LambdaTest does not show any more", nil,
			[]*v1alpha1.LambdaTestUser{claim("ada", denying, off, ready(v1alpha1.DeniedButActiveReason, "may still sign in"))},
			"7|User|yes, although denied|denied by LambdaTestUser/ada|2026-02-01T08:00:00Z|ada (denies)"},
		{"an account that an import found", nil, []*v1alpha1.LambdaTestUser{claim("import-a", imported)}, "7|User|yes|no resource|2026-01-01T08:00:00Z|import-a (observes)"},
		{"a resource that is being deleted", nil, []*v1alpha1.LambdaTestUser{claim("ada", deleting, ready(v1alpha1.DeprovisionHeldReason, "held"))},
			"7|User|yes|LambdaTestUser/ada|2026-01-01T08:00:00Z|ada (being deleted)"},
		{"a person without an account", nil, []*v1alpha1.LambdaTestUser{claim("ada", func(u *v1alpha1.LambdaTestUser) { u.Status.Account, u.Status.AccountID = nil, "" })},
			"||no account|LambdaTestUser/ada|2026-01-01T08:00:00Z|ada"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := rosterOf(test.groups, test.claims...).people()
			if len(rows) != 1 {
				t.Fatalf("there are %d rows", len(rows))
			}
			if got := strings.Join(whoSheet(rows).rows[0][2:], "|"); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestWhoShowsOnlyPeopleForWhomAllFiltersAreTrue(t *testing.T) {
	people := []personRow{
		{UserName: "admin", Role: "Admin"}, {UserName: "denied admin", Role: "Admin", Denied: true}, {UserName: "denied", Denied: true},
		{UserName: "unclaimed", Unclaimed: true}, {UserName: "refused", Refused: true},
	}
	for filter, want := range map[whoFilter]string{
		{}:                           "admin, denied admin, denied, unclaimed, refused",
		{admins: true}:               "admin, denied admin",
		{admins: true, denied: true}: "denied admin",
		{unclaimed: true}:            "unclaimed",
		{refused: true}:              "refused",
	} {
		var names []string
		for _, row := range filter.of(people) {
			names = append(names, row.UserName)
		}
		if got := strings.Join(names, ", "); got != want {
			t.Errorf("%+v shows %s, want %s", filter, got, want)
		}
	}
}

func TestAccountsOfTheListThatAResourceIsAboutAreNotUnclaimed(t *testing.T) {
	found := rosterOf(nil, claim("ada"))
	rows := addUnclaimed(found.people(), &found.organizations[0], []lambdatest.User{
		{ID: "7", UserName: "ADA@example.com", Active: true}, {ID: "9", UserName: "shadow@example.com", Active: true, Role: "Admin"},
	})
	want := []string{"ada@example.com false", "shadow@example.com true"}
	var got []string
	for _, row := range rows {
		got = append(got, fmt.Sprintf("%s %t", row.UserName, row.Unclaimed))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAListOfUnclaimedAccountsSaysWhereItIsFromAndWhatIsMissing(t *testing.T) {
	organization := func(unclaimed *int32, policy v1alpha1.ImportPolicy) *v1alpha1.LambdaTestOrganization {
		made := &v1alpha1.LambdaTestOrganization{}
		made.Name, made.Spec.ImportUsers, made.Status.Unclaimed = defaultOrganization, policy, unclaimed
		made.Status.UnclaimedActive, made.Status.UnclaimedAdmins = new(int32(2)), new(int32(1))
		return made
	}
	one := []personRow{{Organization: defaultOrganization, Unclaimed: true}}
	for _, test := range []struct {
		name         string
		organization *v1alpha1.LambdaTestOrganization
		rows         []personRow
		all          bool
		says         string
	}{
		{"before the first sweep", organization(nil, v1alpha1.ImportObserve), one, false, "It is not known yet"},
		{"all are imported", organization(new(int32(1)), v1alpha1.ImportObserve), one, true, "from the resources of importUsers"},
		{"none is there", organization(new(int32(0)), v1alpha1.ImportNone), nil, true, "A resource claims each account"},
		{"none is imported", organization(new(int32(3)), v1alpha1.ImportNone), nil, false,
			"3 accounts of default are claimed by no resource (2 can sign in, 1 of them as Admin), and not listed here: add --from-lambdatest"},
		{"some are not imported yet", organization(new(int32(3)), v1alpha1.ImportObserve), one, false, "2 accounts of default are claimed by no resource"},
	} {
		t.Run(test.name, func(t *testing.T) {
			all, note := noteOnImports(test.organization, test.rows)
			if all != test.all || !strings.Contains(note, test.says) {
				t.Errorf("says %t: %s", all, note)
			}
		})
	}
}

func TestAnUnknownPersonIsAnErrorThatSaysWhoIsThere(t *testing.T) {
	rows := []personRow{{UserName: "ada@example.com"}, {UserName: "adam@example.com"}, {UserName: "grace@example.com"}}
	for argument, want := range map[string]string{
		"ada@example.org":       "is about ada@example.org; there is: ada@example.com, adam@example.com",
		"joan@example.com":      "to list the 3 people about whom there is one: kubectl lambdatest who -n team",
		"LambdaTestUser/nobody": "is about LambdaTestUser/nobody",
	} {
		if _, err := findPeople(rows, argument, "team"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", argument, err, want)
		}
	}
	if _, err := findPeople(nil, "ada@example.com", "team"); err == nil || !strings.Contains(err.Error(), "no resource there is about any person") {
		t.Errorf("nobody is there: %v", err)
	}
}

func TestAPersonIsFoundByAddressAndByResource(t *testing.T) {
	rows := []personRow{{UserName: "Ada@example.com", Organization: "one", Claims: []claimRow{{Resource: "LambdaTestUser/scim-a"}}}}
	for _, argument := range []string{"ada@EXAMPLE.com", "scim-a", "LambdaTestUser/scim-a", "ltuser/scim-a"} {
		if _, err := findPerson(rows, argument, "team"); err != nil {
			t.Errorf("%s: %v", argument, err)
		}
	}
	rows = append(rows, personRow{UserName: "ada@example.com", Organization: "two"})
	if _, err := findPerson(rows, "ada@example.com", "team"); err == nil || !strings.Contains(err.Error(), "is in 2 organizations of namespace team: one, two") {
		t.Errorf("the same address in two organizations: %v", err)
	}
}

func TestASpreadsheetTakesNoNameForAFormula(t *testing.T) {
	var out bytes.Buffer
	made := sheet{header: []string{"USERNAME", "CLAIMS"}, rows: [][]string{{`=HYPERLINK("http://evil")`, "a, b"}, {"@sum", "-1"}}}
	if err := made.printCSV(&out); err != nil {
		t.Fatal(err)
	}
	want := "USERNAME,CLAIMS\n\"'=HYPERLINK(\"\"http://evil\"\")\",\"a, b\"\n'@sum,'-1\n"
	if out.String() != want {
		t.Errorf("got  %s\nwant %s", out.String(), want)
	}
}
