// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/person"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// personRow is one person of an organization: the account as LambdaTest last showed it, and what the resources say.
type personRow struct {
	Namespace    string `json:"namespace"`
	Organization string `json:"organization"`
	UserName     string `json:"userName"`
	AccountID    string `json:"accountID,omitempty"`
	// Active says whether LambdaTest lets the person sign in; absent if no account is known.
	Active *bool `json:"active,omitempty"`
	// Role is the role at LambdaTest; absent if it is not known.
	Role string `json:"role,omitempty"`
	// Denied says that a resource denies the person, and DeniedBy which one.
	Denied   bool   `json:"denied"`
	DeniedBy string `json:"deniedBy,omitempty"`
	// WantedRole is the role that resources decide, and RoleBy the resource that decides it; absent if none does.
	WantedRole string `json:"wantedRole,omitempty"`
	RoleBy     string `json:"roleBy,omitempty"`
	// Since is when the person was denied. Of others it is when the resource was created that decides.
	Since *metav1.Time `json:"since,omitempty"`
	// DeniedAt and OffAt are the times of the resource that denies: when it said so, and when the account was known to be off.
	DeniedAt *metav1.Time `json:"deniedAt,omitempty"`
	OffAt    *metav1.Time `json:"offAt,omitempty"`
	// Unclaimed says that no resource decides about the account.
	Unclaimed bool `json:"unclaimed"`
	// Declared says that a resource decides that comes from Git or kubectl.
	Declared bool `json:"declared"`
	// Refused says that LambdaTest refuses something of what is wanted.
	Refused bool `json:"refused"`
	// Reason and Message are those of the condition Ready.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// Ready says that the operator has nothing left to do for the person.
	Ready  bool       `json:"ready"`
	Claims []claimRow `json:"claims,omitempty"`
}

// claimRow is one resource about a person.
type claimRow struct {
	Resource string `json:"resource"`
	Source   source `json:"source"`
	// Denies says that the resource has active: false.
	Denies bool   `json:"denies"`
	Role   string `json:"role,omitempty"`
	// Counts is false for a resource that only observes or is being deleted.
	Counts   bool         `json:"counts"`
	Deleting bool         `json:"deleting,omitempty"`
	Created  *metav1.Time `json:"created,omitempty"`
	DeniedAt *metav1.Time `json:"deniedAt,omitempty"`
	OffAt    *metav1.Time `json:"offAt,omitempty"`
	// DeletedSince is when the deletion of the resource began.
	DeletedSince *metav1.Time `json:"deletedSince,omitempty"`
	// DeletedAt is when the identity provider deleted the person.
	DeletedAt *metav1.Time `json:"deletedAt,omitempty"`
	// By and Why are what "deny" wrote: who denied the person, and the reason.
	By     string `json:"by,omitempty"`
	Why    string `json:"why,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// source is where a resource comes from.
type source string

const (
	sourceDeclared source = "declared"
	sourceProvider source = "identity provider"
	sourceImport   source = "import"
)

func sourceOf(object client.Object) source {
	switch {
	case v1alpha1.IsSCIM(object):
		return sourceProvider
	case v1alpha1.IsImported(object):
		return sourceImport
	}
	return sourceDeclared
}

// canSignIn says that LambdaTest showed an active account.
func (p *personRow) canSignIn() bool { return p.Active != nil && *p.Active }

// isPendingDenial says that the person is denied and can still sign in, or that the operator does not know that they cannot.
func (p *personRow) isPendingDenial() bool {
	return p.Denied && p.canSignIn() || p.Reason == v1alpha1.DeniedButActiveReason
}

// isAdmin says that the account is Admin, whether it is active or not.
func (p *personRow) isAdmin() bool { return p.Role == string(v1alpha1.RoleAdmin) }

// roster is what the resources of a namespace say, at one time.
type roster struct {
	namespace     string
	asOf          metav1.Time
	organizations []v1alpha1.LambdaTestOrganization
	groups        []*v1alpha1.LambdaTestGroup
	users         []*v1alpha1.LambdaTestUser
}

// readRoster reads all organizations of a namespace, or the one that is named.
func readRoster(ctx context.Context, reader client.Reader, namespace, organization string) (*roster, error) {
	read := &roster{namespace: namespace, asOf: metav1.NewTime(time.Now().Truncate(time.Second))}
	organizations, err := listOrganizations(ctx, reader, namespace)
	if err != nil {
		return nil, err
	}
	for _, each := range organizations {
		if organization == "" || each.Name == organization {
			read.organizations = append(read.organizations, each)
		}
	}
	switch {
	case len(organizations) == 0:
		return nil, noOrganization(namespace)
	case len(read.organizations) == 0:
		return nil, unknownOrganization(organization, namespace, organizations)
	}
	users, groups := &v1alpha1.LambdaTestUserList{}, &v1alpha1.LambdaTestGroupList{}
	selected := []client.ListOption{client.InNamespace(namespace)}
	if organization != "" {
		selected = append(selected, client.MatchingFields{"spec.organizationRef.name": organization})
	}
	for _, list := range []client.ObjectList{users, groups} {
		if err := reader.List(ctx, list, selected...); err != nil {
			return nil, fmt.Errorf("listing resources: %w", err)
		}
	}
	read.users, read.groups = pointers(users.Items), pointers(groups.Items)
	return read, nil
}

// people are all people about whom there is a resource, sorted by organization and userName.
func (r *roster) people() []personRow {
	users, groups := map[client.ObjectKey][]*v1alpha1.LambdaTestUser{}, map[client.ObjectKey][]*v1alpha1.LambdaTestGroup{}
	for _, user := range r.users {
		key := client.ObjectKey{Namespace: user.Namespace, Name: user.Spec.OrganizationRef.Name}
		users[key] = append(users[key], user)
	}
	for _, group := range r.groups {
		key := client.ObjectKey{Namespace: group.Namespace, Name: group.Spec.OrganizationRef.Name}
		groups[key] = append(groups[key], group)
	}
	rows := []personRow{}
	for i := range r.organizations {
		key := client.ObjectKeyFromObject(&r.organizations[i])
		rows = append(rows, peopleOf(&r.organizations[i], users[key], groups[key])...)
	}
	sortPeople(rows)
	return rows
}

// peopleOf are the people of one organization, from its users and groups. Who decides is computed by the operator's own rules, from the
// resources as they are now.
func peopleOf(organization *v1alpha1.LambdaTestOrganization, users []*v1alpha1.LambdaTestUser, groups []*v1alpha1.LambdaTestGroup) []personRow {
	accounts := map[string]lambdatest.User{}
	for _, user := range users {
		if user.Status.Account != nil {
			accounts[v1alpha1.FoldUserName(user.Spec.UserName)] = accountOf(user)
		}
	}
	known := slices.Collect(maps.Values(accounts))
	rows := []personRow{}
	for _, preview := range person.PreviewPeople(organization, users, groups, known) {
		rows = append(rows, rowOf(organization, preview))
	}
	return rows
}

// accountOf is the account that the status of a resource has.
func accountOf(user *v1alpha1.LambdaTestUser) lambdatest.User {
	account := user.Status.Account
	return lambdatest.User{
		ID: user.Status.AccountID, UserName: user.Spec.UserName, Active: account.Active, Role: account.Role,
		ConcurrencyGroup: account.ConcurrencyGroup, GivenName: account.GivenName, FamilyName: account.FamilyName,
	}
}

func rowOf(organization *v1alpha1.LambdaTestOrganization, preview person.Preview) personRow {
	row := personRow{
		Namespace: organization.Namespace, Organization: organization.Name, UserName: preview.UserName,
		Unclaimed: len(preview.Living) == 0,
	}
	for _, claim := range preview.Claims {
		row.addClaim(claim, slices.Contains(preview.Living, claim))
	}
	if row.Unclaimed {
		// Resources that are being deleted decide until the operator releases them.
		row.Unclaimed = !slices.ContainsFunc(row.Claims, func(claim claimRow) bool { return claim.Deleting })
	} else {
		row.WantedRole, row.RoleBy = string(preview.Effective.Role), preview.Effective.RoleFrom
		row.Denied, row.DeniedBy = !preview.Effective.Active, preview.Effective.ActiveFrom
	}
	row.decide(preview.Claims)
	row.describe(preview.Claims)
	return row
}

func (p *personRow) addClaim(claim *v1alpha1.LambdaTestUser, counts bool) {
	p.Declared = p.Declared || counts && v1alpha1.IsDeclared(claim)
	p.Claims = append(p.Claims, claimRow{
		Resource: v1alpha1.UserKind + "/" + claim.Name, Source: sourceOf(claim), Denies: claim.IsDenial(), Role: string(claim.Spec.Role),
		Counts: counts, Deleting: !claim.DeletionTimestamp.IsZero(), Created: new(metav1.NewTime(v1alpha1.CreatedAt(claim).Truncate(time.Second))),
		DeniedAt: claim.Status.DeniedAt, OffAt: claim.Status.OffAt, DeletedSince: claim.DeletionTimestamp, DeletedAt: claim.Spec.DeletedAt, By: claim.Annotations[v1alpha1.DeniedByAnnotation],
		Why: claim.Annotations[v1alpha1.DenialReasonAnnotation], Reason: currentReady(claim, claim.Status.ObservedGeneration).Reason,
	})
	if account := claim.Status.Account; account != nil && p.Active == nil {
		p.AccountID, p.Active, p.Role = claim.Status.AccountID, &account.Active, account.Role
	}
}

// decide fills in since when the person is denied, or since when the resource exists that decides.
func (p *personRow) decide(claims []*v1alpha1.LambdaTestUser) {
	decides := p.RoleBy
	if p.Denied {
		decides = p.DeniedBy
	}
	for _, claim := range claims {
		switch name := v1alpha1.UserKind + "/" + claim.Name; {
		case p.Denied && name == p.DeniedBy:
			p.DeniedAt, p.OffAt = claim.Status.DeniedAt, claim.Status.OffAt
			p.Since = claim.Status.DeniedAt
		case !p.Denied && name == decides:
			p.Since = new(metav1.NewTime(v1alpha1.CreatedAt(claim).Truncate(time.Second)))
		}
	}
	if p.Since == nil && !p.Denied && len(claims) > 0 {
		p.Since = new(metav1.NewTime(v1alpha1.CreatedAt(claims[0]).Truncate(time.Second)))
	}
}

// describe takes reason and message from the resource that says most: a denial that is not carried out before anything else that is not
// ready. A resource that is only the younger of two says nothing about the person.
func (p *personRow) describe(claims []*v1alpha1.LambdaTestUser) {
	weight := func(ready metav1.Condition) int {
		switch {
		case ready.Reason == v1alpha1.DeniedButActiveReason:
			return 4
		case ready.Reason == v1alpha1.DuplicateUserNameReason:
			return 0
		case person.IsRefusal(ready.Reason):
			return 3
		case ready.Status != metav1.ConditionTrue:
			return 2
		}
		return 1
	}
	most := -1
	for _, claim := range claims {
		ready := currentReady(claim, claim.Status.ObservedGeneration)
		if now := weight(ready); now > most {
			most = now
			p.Reason, p.Message, p.Ready = ready.Reason, ready.Message, ready.Status == metav1.ConditionTrue
			p.Refused = person.IsRefusal(ready.Reason)
		}
	}
}

// addUnclaimed adds the accounts of LambdaTest's list about which there is no resource.
func addUnclaimed(rows []personRow, organization *v1alpha1.LambdaTestOrganization, accounts []lambdatest.User) []personRow {
	known := map[string]bool{}
	for _, row := range rows {
		if row.Organization == organization.Name && row.Namespace == organization.Namespace {
			known[v1alpha1.FoldUserName(row.UserName)] = true
		}
	}
	for _, account := range accounts {
		if !known[v1alpha1.FoldUserName(account.UserName)] {
			rows = append(rows, personRow{
				Namespace: organization.Namespace, Organization: organization.Name, UserName: account.UserName, AccountID: account.ID,
				Active: new(account.Active), Role: account.Role, Unclaimed: true, Ready: true,
			})
		}
	}
	sortPeople(rows)
	return rows
}

func sortPeople(rows []personRow) {
	slices.SortFunc(rows, func(a, b personRow) int {
		return strings.Compare(a.Namespace+"\x00"+a.Organization+"\x00"+v1alpha1.FoldUserName(a.UserName), b.Namespace+"\x00"+b.Organization+"\x00"+v1alpha1.FoldUserName(b.UserName))
	})
}

// findPeople returns those whom a PERSON argument names: an address, or the name of a resource about the person. The same address may belong
// to a person in each of several organizations.
func findPeople(rows []personRow, argument, namespace string) ([]personRow, error) {
	name := argument
	if kind, after, hasKind := strings.Cut(argument, "/"); hasKind && (strings.EqualFold(kind, v1alpha1.UserKind) || kind == "ltuser") {
		name = after
	}
	var found []personRow
	for _, row := range rows {
		named := slices.ContainsFunc(row.Claims, func(claim claimRow) bool { return claim.Resource == v1alpha1.UserKind+"/"+name })
		if named || v1alpha1.FoldUserName(row.UserName) == v1alpha1.FoldUserName(argument) {
			found = append(found, row)
		}
	}
	if len(found) == 0 {
		return nil, unknownPerson(rows, argument, namespace)
	}
	return found, nil
}

// findPerson returns the one person whom a PERSON argument names.
func findPerson(rows []personRow, argument, namespace string) (personRow, error) {
	found, err := findPeople(rows, argument, namespace)
	if err != nil {
		return personRow{}, err
	}
	if len(found) > 1 {
		var organizations []string
		for _, row := range found {
			organizations = append(organizations, row.Organization)
		}
		return personRow{}, fmt.Errorf("%s is in %d organizations of namespace %s: %s; name one with --organization",
			argument, len(found), namespace, strings.Join(organizations, ", "))
	}
	return found[0], nil
}

// unknownPerson says what there is instead.
func unknownPerson(rows []personRow, argument, namespace string) error {
	if len(rows) == 0 {
		return fmt.Errorf("no resource in namespace %s is about %s: no resource there is about any person", namespace, argument)
	}
	part, _, _ := strings.Cut(v1alpha1.FoldUserName(argument), "@")
	var similar []string
	for _, row := range rows {
		if user := v1alpha1.FoldUserName(row.UserName); strings.Contains(user, part) {
			similar = append(similar, row.UserName)
		}
	}
	const most = 3
	if len(similar) > 0 {
		return fmt.Errorf("no resource in namespace %s is about %s; there is: %s", namespace, argument, firstOf(similar, most))
	}
	return fmt.Errorf("no resource in namespace %s is about %s; to list the %s about whom there is one: kubectl lambdatest who -n %s",
		namespace, argument, plural(len(rows), "person", "people"), namespace)
}

// shownBy is how tables name the resource that decides about a person.
func (p *personRow) shownBy() string {
	switch {
	case p.Unclaimed:
		return "no resource"
	case p.Denied:
		return "denied by " + p.shownResource(p.DeniedBy)
	case p.RoleBy != "":
		return p.shownResource(p.RoleBy)
	case len(p.Claims) > 0:
		return p.shownResource(p.Claims[0].Resource)
	}
	return ""
}

// shownResource is the name of a resource; one of the identity provider has a name that says nothing.
func (p *personRow) shownResource(reference string) string {
	for _, claim := range p.Claims {
		if claim.Resource == reference && claim.Source == sourceProvider {
			return string(sourceProvider)
		}
	}
	return reference
}

// shownActive is the column ACTIVE.
func (p *personRow) shownActive() string {
	switch {
	case p.isPendingDenial():
		return "yes, although denied"
	case p.canSignIn():
		return "yes"
	case p.Active != nil:
		return "no"
	}
	return "no account"
}

// shownClaims is the column CLAIMS.
func (p *personRow) shownClaims() string {
	names := make([]string, 0, len(p.Claims))
	for _, claim := range p.Claims {
		name := strings.TrimPrefix(claim.Resource, v1alpha1.UserKind+"/")
		switch {
		case claim.Deleting:
			name += " (being deleted)"
		case !claim.Counts:
			name += " (observes)"
		case claim.Denies:
			name += " (denies)"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// unclaimedSource adds accounts that no resource claims to the people of a roster, and says where it got them.
type unclaimedSource struct {
	upstream upstream
	// fromLambdaTest reads LambdaTest's list of accounts with the organization's token.
	fromLambdaTest bool
}

func (u *unclaimedSource) bind(command *cobra.Command) {
	command.Flags().BoolVar(&u.fromLambdaTest, "from-lambdatest", false,
		"also read the list of accounts at LambdaTest, for those that no resource claims; it only reads, and needs the right to read the Secret with the organization's token")
	u.upstream.bind(command)
}

// unclaimedNote says, for one organization, where its unclaimed accounts come from, or that they are not listed.
type unclaimedNote struct {
	Organization string `json:"organization"`
	// Listed says that the output names all accounts that no resource claims.
	Listed bool   `json:"listed"`
	Note   string `json:"note"`
}

// add returns the rows with the accounts that no resource claims, as far as there is a source.
func (u *unclaimedSource) add(
	ctx context.Context, command *cobra.Command, reader client.Reader, found *roster, rows []personRow,
) ([]personRow, []unclaimedNote, error) {
	var notes []unclaimedNote
	for i := range found.organizations {
		organization := &found.organizations[i]
		note := unclaimedNote{Organization: organization.Name}
		if u.fromLambdaTest {
			upstream, err := u.upstream.connect(ctx, command.InOrStdin(), command.ErrOrStderr(), reader, organization)
			if err != nil {
				return nil, nil, err
			}
			accounts, err := listAccounts(ctx, upstream)
			if err != nil {
				return nil, nil, err
			}
			rows = addUnclaimed(rows, organization, accounts)
			note.Listed = true
			note.Note = fmt.Sprintf("Accounts of %s that no resource claims are from LambdaTest's list, read at %s.", organization.Name, instant(&found.asOf))
		} else {
			note.Listed, note.Note = noteOnImports(organization, rows)
		}
		notes = append(notes, note)
	}
	return rows, notes, nil
}

// noteOnImports says what resources tell about accounts that no other resource claims: importUsers makes a resource for each.
func noteOnImports(organization *v1alpha1.LambdaTestOrganization, rows []personRow) (all bool, note string) {
	imported := int32(0)
	for _, row := range rows {
		if row.Organization == organization.Name && row.Unclaimed {
			imported++
		}
	}
	name, counted := organization.Name, organization.Status.Unclaimed
	switch {
	case counted == nil:
		return false, fmt.Sprintf("It is not known yet how many accounts of %s no resource claims: the operator has not read LambdaTest's list. To read it now: --from-lambdatest.", name)
	case imported >= *counted && organization.Spec.ImportUsers == v1alpha1.ImportObserve:
		return true, fmt.Sprintf("Accounts of %s that no resource claims are from the resources of importUsers, as the last sweep left them.", name)
	case *counted == 0:
		return true, fmt.Sprintf("A resource claims each account of %s, by the operator's last sweep.", name)
	}
	return false, fmt.Sprintf("%s claimed by no resource%s, and not listed here: add --from-lambdatest, or set importUsers: Observe.",
		plural(int(*counted-imported), "account of "+name+" is", "accounts of "+name+" are"), activeOf(organization))
}

// activeOf says how many of the unclaimed accounts can sign in, if that is known.
func activeOf(organization *v1alpha1.LambdaTestOrganization) string {
	active, admins := organization.Status.UnclaimedActive, organization.Status.UnclaimedAdmins
	switch {
	case active == nil || admins == nil:
		return ""
	case *active == 0:
		return " (none of them can sign in)"
	}
	return fmt.Sprintf(" (%d can sign in, %d of them as Admin)", *active, *admins)
}

// personNames are the completions of a PERSON argument; none if the cluster cannot be reached.
func personNames(where *cluster, which *choice) cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		reader, err := where.connect()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		found, err := readRoster(command.Context(), reader, where.namespace, which.name)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []cobra.Completion
		for _, row := range found.people() {
			names = append(names, row.UserName)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// onePerson is the check of arguments of a command about one person.
func onePerson(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("name one person: an address, or the name of a LambdaTestUser")
	}
	return nil
}
