// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/person"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func TestPlanShowsWhatAFolderWouldChange(t *testing.T) {
	stored := pointers([]v1alpha1.LambdaTestUser{declared("ada", v1alpha1.RoleAdmin), declared("grace", v1alpha1.RoleUser), declared("alan", v1alpha1.RoleUser)})
	accounts := []lambdatest.User{account("ada", "Admin"), account("grace", "User"), account("alan", "User")}
	folder := map[string]*v1alpha1.LambdaTestUser{}
	for _, manifest := range []v1alpha1.LambdaTestUser{declared("ada", v1alpha1.RoleGuest), declared("grace", v1alpha1.RoleUser), declared("barbara", v1alpha1.RoleUser)} {
		folder[manifest.Name] = &manifest
	}

	lines, unchanged := linesOf(person.PreviewPeople(nil, overlay(stored, folder, true, userEdits), nil, accounts))

	expected := []planned{
		{UserName: "ada@example.com", Action: person.ActionUpdate, Because: "LambdaTestUser/ada",
			Changes: []v1alpha1.PlannedChange{{Attribute: "role", From: "Admin", To: "Guest"}}},
		{UserName: "alan@example.com", Action: person.ActionDeactivate, Because: "LambdaTestUser/alan (deleted)", Guarded: true,
			Changes: []v1alpha1.PlannedChange{{Attribute: "active", From: "true", To: "false"}}},
		{UserName: "barbara@example.com", Action: person.ActionCreate, Because: "LambdaTestUser/barbara",
			Changes: []v1alpha1.PlannedChange{{Attribute: "account", To: "barbara@example.com"}, {Attribute: "role", To: "User"}}},
	}
	if difference := cmp.Diff(expected, lines); difference != "" {
		t.Errorf("the plan differs (-expected +actual):\n%s", difference)
	}
	if unchanged != 1 {
		t.Errorf("%d people are unchanged, expected 1", unchanged)
	}
}

// A person whom the list leaves out would look like a new hire to plan, and export would leave them out.
func TestPlanAndExportRefuseAListThatDoesNotShowAllAccounts(t *testing.T) {
	for name, settings := range map[string]simulator.Settings{
		"there is no paging":                           {"list-of-users": "first-20-always"},
		"there is no paging, and a page counts itself": {"list-of-users": "first-20-always", "total-results": "this-page"},
		"it pages, and a page counts itself":           {"total-results": "this-page"},
		"a page has more accounts than were asked for": {"list-of-users": "all-at-once"},
	} {
		t.Run(name, func(t *testing.T) {
			sim := simulator.Start(simulator.Population(120), simulator.With(simulator.Switches{MaxPageSize: 20}), simulator.Reads(settings))
			defer sim.Close()
			upstream, err := lambdatest.New(sim.BaseURL(), simulator.DefaultToken)
			if err != nil {
				t.Fatal(err)
			}

			accounts, err := listAccounts(t.Context(), upstream)
			manifests, refused := fromAccounts(t.Context(), upstream, "default")

			if err == nil || !strings.HasSuffix(err.Error(), "kubectl lambdatest doctor") || len(accounts) > 0 {
				t.Errorf("plan goes on with %d accounts (%v), want an error that names the doctor", len(accounts), err)
			}
			if refused == nil || len(manifests) > 0 {
				t.Errorf("export writes %d manifests (%v)", len(manifests), refused)
			}
		})
	}
}

func TestPlanWithoutPruneKeepsPeopleWhoAreNotInTheFolder(t *testing.T) {
	claims := overlay(pointers([]v1alpha1.LambdaTestUser{declared("alan", v1alpha1.RoleUser)}), nil, false, userEdits)
	if lines, _ := linesOf(person.PreviewPeople(nil, claims, nil, []lambdatest.User{account("alan", "User")})); len(lines) > 0 {
		t.Errorf("the plan is %v, expected nothing", lines)
	}
}

func TestPlanNeverPrunesResourcesOfTheIdentityProvider(t *testing.T) {
	provided := declared("scim-alan", v1alpha1.RoleUser)
	provided.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
	if claims := overlay([]*v1alpha1.LambdaTestUser{&provided}, nil, true, userEdits); !claims[0].DeletionTimestamp.IsZero() {
		t.Error("the plan prunes a resource of the identity provider")
	}
}

func TestPlanKnowsTheRolesThatGroupsGive(t *testing.T) {
	user := declared("ada", v1alpha1.RoleUser)
	admins := &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{
		OrganizationRef: user.Spec.OrganizationRef, DisplayName: "Admins", Roles: []v1alpha1.Role{v1alpha1.RoleAdmin}, Members: []string{"ADA@example.com"},
	}}
	admins.Namespace, admins.Name = "default", "admins"
	previews := person.PreviewPeople(nil, []*v1alpha1.LambdaTestUser{&user}, []*v1alpha1.LambdaTestGroup{admins}, []lambdatest.User{account("ada", "User")})
	expected := []planned{{UserName: "ada@example.com", Action: person.ActionUpdate, Because: "LambdaTestGroup/admins",
		Changes: []v1alpha1.PlannedChange{{Attribute: "role", From: "User", To: "Admin"}}}}
	if lines, _ := linesOf(previews); cmp.Diff(expected, lines) != "" {
		t.Errorf("the plan differs (-expected +actual):\n%s", cmp.Diff(expected, lines))
	}
}

// planOf is the plan for a folder whose users are these, and for groups of the cluster.
func planOf(stored []*v1alpha1.LambdaTestUser, groups []*v1alpha1.LambdaTestGroup, accounts []lambdatest.User, folder ...v1alpha1.LambdaTestUser) *plan {
	declared, names := map[string]*v1alpha1.LambdaTestUser{}, map[string]bool{}
	for i := range folder {
		declared[folder[i].Name], names[folder[i].Name] = &folder[i], true
	}
	deleted := map[string]bool{}
	for _, group := range overlay(groups, map[string]*v1alpha1.LambdaTestGroup{}, true, groupEdits) {
		deleted["LambdaTestGroup/"+group.Name] = true
	}
	organization := &v1alpha1.LambdaTestOrganization{}
	organization.Namespace, organization.Name = "default", defaultOrganization
	made := &plan{}
	made.fill(organization, plannedResources{users: overlay(stored, declared, true, userEdits), groups: groups, manifests: names, deletedGroups: deleted}, accounts)
	return made
}

func TestPlanSaysWhoBecomesAdminAndWhoStaysDenied(t *testing.T) {
	denial := declared("scim-eve", v1alpha1.RoleUser)
	denial.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
	denial.Spec.UserName, denial.Spec.Active = "eve@example.com", new(false)
	off := account("eve", "User")
	off.Active = false
	made := planOf([]*v1alpha1.LambdaTestUser{&denial}, nil, []lambdatest.User{account("ada", "User"), account("dan", "Admin"), off},
		declared("ada", v1alpha1.RoleAdmin), declared("new", v1alpha1.RoleAdmin), declared("dan", v1alpha1.RoleAdmin), declared("eve", v1alpha1.RoleUser))
	if diff := cmp.Diff([]string{"ada@example.com", "new@example.com"}, made.Admins); diff != "" {
		t.Error(diff)
	}
	want := []stillDenied{{UserName: "eve@example.com", Resource: "LambdaTestUser/eve", DeniedBy: "LambdaTestUser/scim-eve"}}
	if diff := cmp.Diff(want, made.StillDenied); diff != "" {
		t.Error(diff)
	}
}

func TestPlanSaysHowManyTheGuardWouldHold(t *testing.T) {
	var stored []*v1alpha1.LambdaTestUser
	var accounts []lambdatest.User
	for i := range 30 {
		user := declared("person"+strconv.Itoa(i), v1alpha1.RoleUser)
		stored, accounts = append(stored, &user), append(accounts, account(user.Name, "User"))
	}
	made := planOf(stored, nil, accounts)
	if diff := cmp.Diff(&guardForecast{Affected: 30, Left: 10, Held: 20}, made.Guard); diff != "" {
		t.Error(diff)
	}
	var out bytes.Buffer
	if err := made.table(&out); err != nil || !strings.Contains(out.String(), "deletions affect 30 people; 10 may go in this hour, so the guard would hold 20.") {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestPlanCountsRolesThatADeletedGroupGave(t *testing.T) {
	user := declared("ada", v1alpha1.RoleUser)
	user.Status.Effective = &v1alpha1.EffectiveState{Active: true, Role: v1alpha1.RoleAdmin, RoleFrom: "LambdaTestGroup/admins"}
	group := adminsGroup()
	group.Finalizers = []string{v1alpha1.Finalizer}
	made := planOf([]*v1alpha1.LambdaTestUser{&user}, []*v1alpha1.LambdaTestGroup{group}, []lambdatest.User{account("ada", "Admin")}, declared("ada", v1alpha1.RoleUser))
	if made.Guard == nil || made.Guard.Affected != 1 {
		t.Errorf("the guard is not asked about a role that is lost with its group: %+v", made)
	}
}

func TestPlanDoesNotCountADenialAmongWhatTheGuardHolds(t *testing.T) {
	user, denied := declared("ada", v1alpha1.RoleUser), declared("ada", v1alpha1.RoleUser)
	denied.Spec.Active = new(false)
	made := planOf([]*v1alpha1.LambdaTestUser{&user}, nil, []lambdatest.User{account("ada", "User")}, denied)
	if made.Guard != nil || len(made.Changes) != 1 {
		t.Errorf("%+v", made)
	}
}

func TestManifestsAreReadFromStandardInput(t *testing.T) {
	found, err := readManifests([]string{"-"}, strings.NewReader("apiVersion: iam.lambdatest.io/v1alpha1\nkind: LambdaTestUser\nmetadata: {name: ada}\nspec: {userName: ada@example.com, active: false}\n"),
		"team", "default")
	if err != nil || found.users["ada"] == nil {
		t.Errorf("read %v (%v)", found.users, err)
	}
	if _, err := readManifests([]string{"-"}, strings.NewReader("kind: LambdaTestUser\napiVersion: iam.lambdatest.io/v1alpha1\nspec: {x: 1}\n"), "team", "default"); err == nil ||
		!strings.Contains(err.Error(), "from standard input") {
		t.Errorf("a broken manifest: %v", err)
	}
}

func TestManifestsAreReadFromFoldersAndOtherKindsSkipped(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "people.yaml"), `
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
---
apiVersion: iam.lambdatest.io/v1alpha1
kind: LambdaTestUser
metadata: {name: ada}
spec: {userName: ada@example.com, name: {givenName: Ada, familyName: Lovelace}}
`)
	write(t, filepath.Join(folder, "README.md"), "kind: LambdaTestUser")
	found, err := readManifests([]string{folder}, nil, "team", "default")
	if err != nil {
		t.Fatal(err)
	}
	if len(found.users) != 1 || found.users["ada"] == nil || found.users["ada"].Namespace != "team" {
		t.Errorf("read %v, expected only ada, in the default namespace of the command", found.users)
	}
}

// A plan must not leave out what kubectl, Flux or Argo CD would apply.
func TestNoManifestIsHiddenFromAPlan(t *testing.T) {
	const (
		eve    = "apiVersion: iam.lambdatest.io/v1alpha1\nkind: LambdaTestUser\nmetadata: {name: eve}\nspec: {userName: eve@example.com, role: Admin}\n"
		inJSON = `{"apiVersion":"iam.lambdatest.io/v1alpha1","kind":"LambdaTestUser","metadata":{"name":"eve"},"spec":{"userName":"eve@example.com"}}`
		other  = "apiVersion: v1\nkind: ConfigMap\n"
	)
	item := strings.ReplaceAll(eve, "\n", "\n  ")
	for name, content := range map[string]string{
		"in a list":                         "apiVersion: v1\nkind: List\nitems:\n- " + item,
		"in a list of users":                "apiVersion: iam.lambdatest.io/v1alpha1\nkind: LambdaTestUserList\nitems:\n- metadata: {name: eve}\n  spec: {userName: eve@example.com}\n",
		"in a list of lists":                "kind: List\nitems:\n- kind: List\n  items: [" + inJSON + "]\n",
		"after the end of a document":       other + "...\n" + eve,
		"after JSON":                        `{"kind":"ConfigMap"}` + inJSON,
		"after JSON on a line of its own":   `{"kind":"ConfigMap"}` + "\n" + inJSON,
		"after line breaks of an old Mac":   strings.ReplaceAll(other+"---\n"+eve, "\n", "\r"),
		"after line breaks of a mainframe":  strings.ReplaceAll(other+"---\n"+eve, "\n", "\u0085"),
		"after a line with a comment":       other + "--- # next\n" + eve,
		"with a second kind in capitals":    eve + "KIND: ConfigMap\n",
		"with a second version in capitals": eve + "ApiVersion: v1\n",
		"with items that are empty":         eve + "items: []\n",
		"with items of another kind":        eve + "items: [{kind: ConfigMap}]\n",
		"without a name":                    strings.Replace(eve, "name: eve", "generateName: eve-", 1),
		"behind a mark of the byte order":   "\ufeff" + eve,
		"with a kind that is a complex key": strings.Replace(eve, "kind: ", "? kind\n: ", 1),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "eve.yaml")
			write(t, file, content)
			found, err := readManifests([]string{file}, nil, "default", "default")
			if err == nil && found.users["eve"] == nil {
				t.Error("a user is neither in the plan nor an error")
			}
		})
	}
}

func TestAFolderOfManifestsHasFilesOnly(t *testing.T) {
	folder := t.TempDir()
	if err := os.Symlink("/dev/zero", filepath.Join(folder, "endless.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, err := readManifests([]string{folder}, nil, "default", "default"); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a link to a device is read: %v", err)
	}
}

func TestAMisspelledFieldInAManifestIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ada.yaml")
	write(t, file, "apiVersion: iam.lambdatest.io/v1alpha1\nkind: LambdaTestUser\nmetadata: {name: ada}\nspec: {username: ada@example.com}\n")
	if _, err := readManifests([]string{file}, nil, "default", "default"); err == nil {
		t.Error("the unknown field spec.username is accepted")
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func declared(name string, role v1alpha1.Role) v1alpha1.LambdaTestUser {
	user := v1alpha1.LambdaTestUser{Spec: v1alpha1.LambdaTestUserSpec{
		OrganizationRef: v1alpha1.OrganizationReference{Name: defaultOrganization},
		UserName:        name + "@example.com", Name: v1alpha1.PersonName{GivenName: "A", FamilyName: "B"}, Role: role,
	}}
	user.Namespace, user.Name = "default", name
	return user
}

func account(name, role string) lambdatest.User {
	return lambdatest.User{ID: "1", UserName: name + "@example.com", Active: true, Role: role}
}
