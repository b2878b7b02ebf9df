// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// review is the output of the command of that name: who has access at one time, Admins first.
type review struct {
	AsOf      metav1.Time `json:"asOf"`
	Cluster   string      `json:"cluster"`
	Namespace string      `json:"namespace"`
	// Organizations are those that were reviewed.
	Organizations []reviewedOrganization `json:"organizations"`
	People        []personRow            `json:"people"`
	// Compared is the difference to an older review.
	Compared *comparison `json:"compared,omitempty"`
}

// reviewedOrganization is one organization of a review.
type reviewedOrganization struct {
	unclaimedNote `json:",inline"`
	BaseURL       string `json:"baseURL"`
	Ready         string `json:"ready"`
	Reason        string `json:"reason"`
	// CanSignIn and Admins count the people of the review who can sign in, and those of them who are Admin.
	CanSignIn int `json:"canSignIn"`
	Admins    int `json:"admins"`
}

// comparison is who gained and lost what since an older review.
type comparison struct {
	Since   metav1.Time    `json:"since"`
	Changes []accessChange `json:"changes"`
	// NotCompared says which people are left out, because one of the two reviews does not list them.
	NotCompared []string `json:"notCompared,omitempty"`
}

// accessChange is what one person gained or lost.
type accessChange struct {
	Organization string `json:"organization"`
	UserName     string `json:"userName"`
	Change       change `json:"change"`
	From         string `json:"from,omitempty"`
	To           string `json:"to,omitempty"`
	By           string `json:"by,omitempty"`
}

// change is what happened to the access of a person.
type change string

const (
	gainedAccess change = "gained access"
	lostAccess   change = "lost access"
	gainedRole   change = "gained role"
	lostRole     change = "lost role"
	changedRole  change = "changed role"
)

// reviewOptions are the flags of review.
type reviewOptions struct {
	where     cluster
	which     choice
	form      output
	unclaimed unclaimedSource
	compare   string
	exitCode  bool
}

func reviewCommand() *cobra.Command {
	options := &reviewOptions{which: choice{all: true}}
	command := &cobra.Command{
		Use:   "review",
		Short: "Write the access review: who has access, Admins first, with marks for what no resource decides; compare it with an older one",
		Long: `Write the access review: every person with account, role, who decided it, and since when. Admins come first. MARKS says what an auditor should
look at:

  unclaimed          no resource decides about the account
  role undeclared    the account is Admin, and no resource decides the role
  provider only      no resource in Git or from kubectl is about the person, only the identity provider
  denied but active  a resource denies the person, who can still sign in
  refused            LambdaTest refuses something of what is wanted
  held               the guard holds a change

Accounts that no resource claims are listed with importUsers: Observe, or with --from-lambdatest; otherwise the review says that they are
missing. With --compare, the review also shows who gained and lost access or a role since an older review that was written with -o json.`,
		Example: `  # One page for the auditor, which also reads well on paper
  kubectl lambdatest review --from-lambdatest -o html > review.html
  # Keep this one, and compare the next one with it
  kubectl lambdatest review --from-lambdatest -o json > 2026-q1.json
  kubectl lambdatest review --from-lambdatest --compare 2026-q1.json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return options.run(cmd) },
	}
	options.where.bind(command)
	options.which.bind(command, &options.where)
	options.form.bind(command, outputCSV, outputHTML)
	options.unclaimed.bind(command)
	flags := command.Flags()
	flags.StringVar(&options.compare, "compare", "", "`file` with an older review, written with -o json")
	flags.BoolVar(&options.exitCode, "exit-code", false, "with --compare: exit with code 2 if anybody gained or lost access or a role")
	_ = command.MarkFlagFilename("compare", "json")
	return command
}

func (o *reviewOptions) run(command *cobra.Command) error {
	if o.exitCode && o.compare == "" {
		return errors.New("--exit-code needs --compare: it is about the differences to an older review")
	}
	var old *review
	if o.compare != "" {
		var err error
		if old, err = readReview(o.compare); err != nil {
			return err
		}
	}
	reader, err := o.where.connect()
	if err != nil {
		return err
	}
	read, err := readRoster(command.Context(), reader, o.where.namespace, o.which.name)
	if err != nil {
		return err
	}
	rows, notes, err := o.unclaimed.add(command.Context(), command, reader, read, read.people())
	if err != nil {
		return err
	}
	found := reviewOf(read, rows, notes, o.where.host)
	if old != nil {
		found.Compared = compare(old, found)
	}
	if err := o.print(command, found); err != nil {
		return err
	}
	if o.exitCode && len(found.Compared.Changes) > 0 {
		return ErrDifferences
	}
	return nil
}

func (o *reviewOptions) print(command *cobra.Command, found *review) error {
	out := command.OutOrStdout()
	switch o.form {
	case outputHTML:
		return found.html(out)
	case outputCSV:
		found.notes(command.ErrOrStderr())
		if found.Compared != nil {
			return found.Compared.sheet().printCSV(out)
		}
		return found.sheet().printCSV(out)
	}
	return o.form.print(out, found, found.table)
}

// readReview reads the output of an older review.
func readReview(path string) (*review, error) {
	content, err := os.ReadFile(path) //nolint:gosec // the user named this file
	if err != nil {
		return nil, fmt.Errorf("reading the older review: %w", err)
	}
	old := &review{}
	if err := json.Unmarshal(content, old); err != nil {
		return nil, fmt.Errorf("%s is not an older review, as \"kubectl lambdatest review -o json\" writes it: %w", path, err)
	}
	if old.AsOf.IsZero() || len(old.Organizations) == 0 {
		return nil, fmt.Errorf("%s is not an older review, as \"kubectl lambdatest review -o json\" writes it: it has no asOf and no organizations", path)
	}
	return old, nil
}

func reviewOf(read *roster, rows []personRow, notes []unclaimedNote, cluster string) *review {
	found := &review{AsOf: read.asOf, Cluster: cluster, Namespace: read.namespace, People: slices.Clone(rows)}
	slices.SortStableFunc(found.People, func(a, b personRow) int { return cmp.Compare(b.weight(), a.weight()) })
	for i := range read.organizations {
		organization := &read.organizations[i]
		ready := currentReady(organization, organization.Status.ObservedGeneration)
		line := reviewedOrganization{unclaimedNote: noteAbout(notes, organization.Name), BaseURL: organization.Spec.BaseURL, Ready: string(ready.Status), Reason: ready.Reason}
		for j := range rows {
			if row := &rows[j]; row.Organization == organization.Name && row.canSignIn() {
				line.CanSignIn++
				if row.isAdmin() {
					line.Admins++
				}
			}
		}
		found.Organizations = append(found.Organizations, line)
	}
	return found
}

func noteAbout(notes []unclaimedNote, organization string) unclaimedNote {
	for _, note := range notes {
		if note.Organization == organization {
			return note
		}
	}
	return unclaimedNote{Organization: organization}
}

// weight orders a review: who can sign in before who cannot, and higher roles first. A role that is not known, or a custom one, may be a high
// one.
func (p *personRow) weight() int {
	rank := v1alpha1.Role(p.Role).Rank()
	if rank == 0 && p.Active != nil {
		rank = v1alpha1.RoleAdmin.Rank() - 1
	}
	weight := 2 * rank
	if p.canSignIn() || p.isPendingDenial() {
		weight += 10
	}
	if !p.isAdmin() {
		return weight
	}
	return weight + 1
}

// marks are what an auditor should look at.
func (p *personRow) marks() []string {
	var marks []string
	mark := func(text string, holds bool) {
		if holds {
			marks = append(marks, text)
		}
	}
	mark("denied but active", p.isPendingDenial())
	mark("unclaimed", p.Unclaimed)
	mark("role undeclared", !p.Unclaimed && p.isAdmin() && p.RoleBy == "")
	mark("provider only", !p.Unclaimed && !p.Declared)
	mark("refused", p.Refused)
	mark("held", heldReasons[p.Reason])
	return marks
}

func (r *review) sheet() sheet {
	made := sheet{header: []string{"ORGANIZATION", "USERNAME", "ACCOUNT", "ROLE", "ACTIVE", "BY", "SINCE", "MARKS"}}
	for i := range r.People {
		row := &r.People[i]
		made.rows = append(made.rows, []string{row.Organization, row.UserName, row.AccountID, row.shownRole(), row.shownActive(), row.shownBy(), instant(row.Since),
			strings.Join(row.marks(), ", ")})
	}
	return made
}

func (r *review) table(out io.Writer) error {
	if err := r.sheet().print(out); err != nil {
		return err
	}
	r.notes(out)
	if r.Compared == nil {
		return nil
	}
	printf(out, "\n%s since the review of %s:\n", r.Compared.summary(), instant(&r.Compared.Since))
	return r.Compared.sheet().print(out)
}

// notes say what the review covers.
func (r *review) notes(out io.Writer) {
	printf(out, "\nNamespace %s of %s, as of %s.\n", r.Namespace, r.Cluster, instant(&r.AsOf))
	for _, each := range r.Organizations {
		printf(out, "%s\n", each.summary())
		printf(out, "%s\n", each.Note)
	}
	if r.Compared != nil {
		for _, each := range r.Compared.NotCompared {
			printf(out, "%s\n", each)
		}
	}
}

func (o *reviewedOrganization) summary() string {
	text := fmt.Sprintf("%s: %s can sign in, %d of them as Admin.", o.Organization, plural(o.CanSignIn, "person", "people"), o.Admins)
	if o.Ready != string(metav1.ConditionTrue) {
		text += fmt.Sprintf(" The organization is not ready (%s), so LambdaTest may differ from what is shown.", o.Reason)
	}
	return text
}

// compare says who gained and lost access or a role.
func compare(old, now *review) *comparison {
	made := &comparison{Since: old.AsOf, Changes: []accessChange{}}
	before, after := old.byPerson(), now.byPerson()
	for _, organization := range now.Organizations {
		name := organization.Organization
		i := slices.IndexFunc(old.Organizations, func(each reviewedOrganization) bool { return each.Organization == name })
		switch {
		case old.Namespace != now.Namespace || i < 0:
			made.NotCompared = append(made.NotCompared, fmt.Sprintf("The older review has no organization %s of namespace %s, so %s is not compared.", name, now.Namespace, name))
			dropOrganization(after, name)
			dropOrganization(before, name)
		case !old.Organizations[i].Listed || !organization.Listed:
			made.NotCompared = append(made.NotCompared, fmt.Sprintf("Accounts of %s that no resource claims are not compared, because one of the two reviews does not list them.", name))
			dropUnclaimed(before, after, name)
		}
	}
	for _, each := range old.Organizations {
		if !slices.ContainsFunc(now.Organizations, func(o reviewedOrganization) bool { return o.Organization == each.Organization }) {
			made.NotCompared = append(made.NotCompared, fmt.Sprintf("Organization %s of the older review is not compared: it is not in this one.", each.Organization))
			dropOrganization(before, each.Organization)
		}
	}
	for _, row := range now.People {
		if was, is := before[row.key()], after[row.key()]; is != nil {
			made.add(was, is)
		}
	}
	for _, row := range old.People {
		if was := before[row.key()]; was != nil && after[row.key()] == nil {
			made.add(was, nil)
		}
	}
	return made
}

// key identifies a person in two reviews.
func (p *personRow) key() string { return p.Organization + "\x00" + v1alpha1.FoldUserName(p.UserName) }

func (r *review) byPerson() map[string]*personRow {
	rows := map[string]*personRow{}
	for i := range r.People {
		rows[r.People[i].key()] = &r.People[i]
	}
	return rows
}

func dropOrganization(rows map[string]*personRow, organization string) {
	for key, row := range rows {
		if row.Organization == organization {
			delete(rows, key)
		}
	}
}

// dropUnclaimed leaves out those whom one review may not list, because no resource claims them.
func dropUnclaimed(before, after map[string]*personRow, organization string) {
	for _, pair := range [][2]map[string]*personRow{{before, after}, {after, before}} {
		for key, row := range pair[0] {
			if row.Organization == organization && row.Unclaimed && pair[1][key] == nil {
				delete(pair[0], key)
			}
		}
	}
}

// add adds what a person gained or lost; was or is may be nil.
func (c *comparison) add(was, is *personRow) {
	had, has := was != nil && was.canSignIn(), is != nil && is.canSignIn()
	row := is
	if row == nil {
		row = was
	}
	made := accessChange{Organization: row.Organization, UserName: row.UserName}
	if is != nil {
		made.By = is.shownBy()
	}
	switch {
	case !had && !has:
		return
	case !had:
		made.Change, made.To = gainedAccess, is.Role
	case !has:
		made.Change, made.From = lostAccess, was.Role
	case was.Role == is.Role:
		return
	default:
		made.Change, made.From, made.To = roleChange(was.Role, is.Role), was.Role, is.Role
	}
	c.Changes = append(c.Changes, made)
}

// roleChange says whether a role is higher or lower than another. Of a role that is not known, or a custom one, neither is known.
func roleChange(from, to string) change {
	before, after := v1alpha1.Role(from).Rank(), v1alpha1.Role(to).Rank()
	switch {
	case before == 0 || after == 0:
		return changedRole
	case after > before:
		return gainedRole
	}
	return lostRole
}

func (c *comparison) sheet() sheet {
	made := sheet{header: []string{"ORGANIZATION", "USERNAME", "CHANGE", "FROM", "TO", "BY"}}
	for _, each := range c.Changes {
		made.rows = append(made.rows, []string{each.Organization, each.UserName, string(each.Change), each.From, each.To, each.By})
	}
	return made
}

func (c *comparison) summary() string {
	if len(c.Changes) == 0 {
		return "Nobody gained or lost access or a role"
	}
	return plural(len(c.Changes), "person", "people") + " gained or lost access or a role"
}
