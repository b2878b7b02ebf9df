// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
)

// leaverRow is one loss of access that was asked for.
type leaverRow struct {
	Namespace    string `json:"namespace"`
	Organization string `json:"organization"`
	// UserName is the address; of a person whose resources are gone it is known only from a log with addresses.
	UserName string `json:"userName,omitempty"`
	// Person is the digest that audit lines have in place of the address.
	Person string `json:"person"`
	By     string `json:"by,omitempty"`
	// Asked is since when a resource denies the person, or when the last resource was deleted.
	Asked metav1.Time `json:"asked"`
	// Stored is when the operator had read this from the API server; it is known from the audit trail only.
	Stored *metav1.Time `json:"stored,omitempty"`
	// Off is when LambdaTest was known to have no active account of the person.
	Off *metav1.Time `json:"off,omitempty"`
	// Seconds is the time from asked to off, or to now if the account may still be active.
	Seconds float64 `json:"seconds"`
	Open    bool    `json:"open"`
	// TooLate says that it took longer than --within.
	TooLate bool   `json:"tooLate"`
	Reason  string `json:"reason,omitempty"`
	// ended is when the denial was taken back; nil if it was not, as far as is known.
	ended *time.Time
}

// leavers is the output of the command of that name.
type leavers struct {
	AsOf  metav1.Time `json:"asOf"`
	Since metav1.Time `json:"since"`
	// Within is the bound that was asked for.
	Within string `json:"within,omitempty"`
	// Complete says that nobody is missing who left between since and completeUntil.
	Complete bool `json:"complete"`
	// CompleteFrom and CompleteUntil are the times between which nobody is missing; absent without an audit trail.
	CompleteFrom  *metav1.Time `json:"completeFrom,omitempty"`
	CompleteUntil *metav1.Time `json:"completeUntil,omitempty"`
	// Missing says who may be missing.
	Missing string      `json:"missing,omitempty"`
	People  []leaverRow `json:"people"`
}

// leaversOptions are the flags of leavers.
type leaversOptions struct {
	where  cluster
	which  choice
	form   output
	since  pastTime
	within time.Duration
	audit  auditFile
}

func leaversCommand() *cobra.Command {
	options := &leaversOptions{which: choice{all: true}, since: pastTime{text: "90d", before: 90 * day}}
	command := &cobra.Command{
		Use:   "leavers",
		Short: "Show who lost access, when that was asked for, when the account was off, and how long it took",
		Long: `Show who lost access since a time: when it was asked for, when the operator had it stored, when the account was off, and the seconds between.
It names the slowest, and those who may still be able to sign in.

ASKED is since when a resource denies the person (the time of the identity provider's request; of a resource from Git, its creation or when the
operator saw the change), or when the last resource about the person was deleted. OFF is when LambdaTest was known to have no active account.

Resources show only people who are still denied, and whose resource is still there. People who came back, whose resource was deleted, or whom
the identity provider deleted more than 30 days ago, are in the audit trail: ship the lines of the logger "audit" (docs/audit.md), and name the
file with --audit. The command says from when until when its answer is complete. STORED is known from the audit trail only.

Exit codes with --within: 2 if somebody took longer, or is still active after that time; 4 if nobody did, but the answer is not complete since
--since; 1 if the command failed.`,
		Example: `  # Who left in the last quarter, from the shipped audit trail?
  kubectl lambdatest leavers --since 90d --within 60s --audit audit.jsonl
  # The same for a pipeline, from the logs of all replicas
  kubectl logs -l app.kubernetes.io/name=lambdatest-operator --tail=-1 | kubectl lambdatest leavers --since 24h --audit - -o csv`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return options.run(cmd) },
	}
	options.where.bind(command)
	options.which.bind(command, &options.where)
	options.form.bind(command, outputCSV)
	options.audit.bind(command)
	flags := command.Flags()
	flags.Var(&options.since, "since", "from when on: how long ago, such as 90d or 12h, or a `time` such as 2026-01-31 or 2026-01-31T08:00:00Z")
	flags.DurationVar(&options.within, "within", 0, "the bound that must not be broken, such as 60s; sets the exit code")
	return command
}

func (o *leaversOptions) run(command *cobra.Command) error {
	if o.within < 0 || command.Flags().Changed("within") && o.within == 0 {
		return errors.New("--within must be positive, such as 60s")
	}
	reader, err := o.where.connect()
	if err != nil {
		return err
	}
	read, err := readRoster(command.Context(), reader, o.where.namespace, o.which.name)
	if err != nil {
		return err
	}
	trail, err := o.audit.read(command.InOrStdin())
	if err != nil {
		return err
	}
	found := leaversOf(read, trail, o.since.at(read.asOf.Time), o.within)
	if o.form == outputCSV {
		found.summary(command.ErrOrStderr())
		err = found.sheet().printCSV(command.OutOrStdout())
	} else {
		err = o.form.print(command.OutOrStdout(), found, found.table)
	}
	switch {
	case err != nil || o.within == 0:
		return err
	case slices.ContainsFunc(found.People, func(row leaverRow) bool { return row.TooLate }):
		return ErrDifferences
	case !found.Complete:
		return ErrIncomplete
	}
	return nil
}

// leaversOf puts together what resources and the audit trail say.
func leaversOf(read *roster, trail *auditTrail, since time.Time, within time.Duration) *leavers {
	found := &leavers{AsOf: read.asOf, Since: metav1.NewTime(since), People: []leaverRow{}}
	if within > 0 {
		found.Within = within.String()
	}
	rows := departures{}
	names := map[string]string{}
	for _, row := range read.people() {
		names[audit.PersonOf(row.Organization, row.UserName)] = row.UserName
		rows.addResources(&row)
	}
	if trail != nil {
		for _, line := range trail.lines {
			if line.Namespace == read.namespace && read.has(line.Organization) {
				rows.addLine(line)
			}
		}
	}
	for _, row := range rows.leaving() {
		row.UserName = cmp.Or(row.UserName, names[row.Person])
		row.measure(read.asOf.Time, within)
		if row.Open || !row.Asked.Time.Before(since) {
			found.People = append(found.People, *row)
		}
	}
	found.judge(trail)
	return found
}

func (r *roster) has(organization string) bool {
	return slices.ContainsFunc(r.organizations, func(each v1alpha1.LambdaTestOrganization) bool { return each.Name == organization })
}

// departure is one loss of access: of a person, asked for at one time.
type departure struct {
	namespace, organization, person string
	asked                           int64
}

// departures are the rows by what they are about. Resources have whole seconds, so lines are compared by those.
type departures map[departure]*leaverRow

func (d departures) row(namespace, organization, person string, asked time.Time) *leaverRow {
	key := departure{namespace, organization, person, asked.Unix()}
	if d[key] == nil {
		d[key] = &leaverRow{Namespace: namespace, Organization: organization, Person: person, Asked: metav1.NewTime(asked), Open: true}
	}
	return d[key]
}

// addResources adds what the resources about a person say: the first of their denials or, if all of them are being deleted, the deletion.
func (d departures) addResources(person *personRow) {
	digest := audit.PersonOf(person.Organization, person.UserName)
	var asked, off *metav1.Time
	by := ""
	for _, claim := range person.Claims {
		if claim.Counts && claim.DeniedAt != nil && (asked == nil || claim.DeniedAt.Before(asked)) {
			asked, off, by = claim.DeniedAt, claim.OffAt, claim.Resource
		}
	}
	if asked == nil && !person.Unclaimed && person.canSignIn() && !slices.ContainsFunc(person.Claims, func(claim claimRow) bool { return claim.Counts }) {
		for _, claim := range person.Claims {
			if claim.DeletedSince != nil && (asked == nil || asked.Before(claim.DeletedSince)) {
				asked, by = claim.DeletedSince, claim.Resource+" (deleted)"
			}
		}
	}
	if asked == nil {
		return
	}
	row := d.row(person.Namespace, person.Organization, digest, asked.Time)
	row.UserName, row.By, row.Off, row.Open = person.UserName, by, off, off == nil
	if row.Open {
		row.Reason = person.Reason
	}
}

// addLine adds what a line of the audit trail says.
func (d departures) addLine(line auditLine) {
	deactivated := line.Event == audit.Called && isDeactivation(line.Line)
	if line.Decided == nil || line.Person == "" ||
		line.Event != audit.Denied && line.Event != audit.DenialDone && line.Event != audit.DenialEnded && !deactivated {
		return
	}
	row := d.row(line.Namespace, line.Organization, line.Person, *line.Decided)
	row.UserName = cmp.Or(row.UserName, line.Address)
	row.By = cmp.Or(row.By, strings.Join(line.Because, ", "), line.Resource)
	switch {
	case line.Event == audit.Denied:
		if row.Stored == nil || line.Time.Before(row.Stored.Time) {
			row.Stored = new(metav1.NewTime(line.Time))
		}
	case line.Event == audit.DenialEnded:
		row.ended = new(line.Time)
	case line.Done == nil || deactivated && line.Outcome != audit.OutcomeDone:
	case row.Off == nil || row.Off.Nanosecond() == 0: // the answer of a call has fractions of a second
		row.Off, row.Open, row.Reason = new(metav1.NewTime(*line.Done)), false, ""
	}
}

// isDeactivation says that a call takes access away.
func isDeactivation(line audit.Line) bool {
	return slices.ContainsFunc(line.Changes, func(change audit.Change) bool { return change.Attribute == "active" && change.To == "false" })
}

// leaving are the rows in order, without those about people who were denied before and off already: a second denial takes nothing away.
func (d departures) leaving() []*leaverRow {
	rows := slices.SortedFunc(maps.Values(d), func(a, b *leaverRow) int {
		return cmp.Or(a.Asked.Compare(b.Asked.Time), strings.Compare(a.Person, b.Person))
	})
	off := map[departure]*leaverRow{}
	return slices.DeleteFunc(rows, func(row *leaverRow) bool {
		key := departure{row.Namespace, row.Organization, row.Person, 0}
		before := off[key]
		repeated := before != nil && before.Off != nil && !row.Asked.Time.Before(before.Off.Time) && (before.ended == nil || before.ended.After(row.Asked.Time))
		if !repeated {
			off[key] = row
		}
		return repeated
	})
}

// measure computes how long it took, or has been taking.
func (l *leaverRow) measure(now time.Time, within time.Duration) {
	end := now
	switch {
	case l.Off != nil:
		end = l.Off.Time
	case l.ended != nil:
		end, l.Open, l.Reason = *l.ended, false, "taken back before the account was off"
	}
	took := max(end.Sub(l.Asked.Time), 0)
	l.Seconds = took.Round(time.Millisecond).Seconds()
	l.TooLate = within > 0 && took > within
}

// judge says whether the answer is complete, and who may be missing.
func (l *leavers) judge(trail *auditTrail) {
	const fromResources = "people who came back since, whose resource was deleted, or whom the identity provider deleted more than 30 days ago"
	if trail == nil {
		l.Missing = "NOT COMPLETE: only resources were read, so this leaves out " + fromResources + ". For a complete answer, name the shipped audit trail with --audit."
		return
	}
	l.CompleteFrom, l.CompleteUntil = new(metav1.NewTime(trail.first)), new(metav1.NewTime(trail.last))
	switch {
	case trail.unread > 0:
		l.Missing = fmt.Sprintf("NOT COMPLETE: %s of the audit trail could not be read.", plural(trail.unread, "line", "lines"))
	case trail.first.After(l.Since.Time):
		l.Missing = fmt.Sprintf("COMPLETE ONLY FROM %s ON, where the audit trail begins: before, this leaves out %s.", instant(l.CompleteFrom), fromResources)
	default:
		l.Complete = true
	}
}

func (l *leavers) sheet() sheet {
	made := sheet{header: []string{"ORGANIZATION", "WHO", "BY", "ASKED", "STORED", "OFF", "SECONDS", "REASON"}}
	for i := range l.People {
		row := &l.People[i]
		off := instant(row.Off)
		if row.Open {
			off = "STILL ACTIVE"
		}
		made.rows = append(made.rows, []string{row.Organization, row.who(), row.By, instant(&row.Asked), instant(row.Stored), off, row.shownSeconds(), row.Reason})
	}
	return made
}

// who is the address or, if it is not known, the digest that the audit trail has.
func (l *leaverRow) who() string { return cmp.Or(l.UserName, "person "+l.Person) }

func (l *leaverRow) shownSeconds() string {
	text := strconv.FormatFloat(l.Seconds, 'f', -1, 64)
	if l.TooLate {
		text += " TOO LATE"
	}
	return text
}

func (l *leavers) table(out io.Writer) error {
	if err := l.sheet().print(out); err != nil {
		return err
	}
	l.summary(out)
	return nil
}

// summary names the slowest and the ones still open, and says what the answer covers.
func (l *leavers) summary(out io.Writer) {
	var slowest *leaverRow
	var open, late []string
	for i := range l.People {
		row := &l.People[i]
		if row.Open {
			open = append(open, row.who())
		} else if slowest == nil || row.Seconds > slowest.Seconds {
			slowest = row
		}
		if row.TooLate {
			late = append(late, row.who())
		}
	}
	printf(out, "\n%s since %s, as of %s.\n", plural(len(l.People), "leaver", "leavers"), instant(&l.Since), instant(&l.AsOf))
	if slowest != nil {
		printf(out, "The slowest was %s, after %s s.\n", slowest.who(), strconv.FormatFloat(slowest.Seconds, 'f', -1, 64))
	}
	if len(open) > 0 {
		printf(out, "STILL ACTIVE, or may be: %s.\n", firstOf(open, mostNamed))
	}
	switch {
	case l.Within == "":
	case len(late) > 0:
		printf(out, "NOT within %s: %s.\n", l.Within, firstOf(late, mostNamed))
	default:
		printf(out, "All of these within %s.\n", l.Within)
	}
	if l.Missing != "" {
		printf(out, "%s\n", l.Missing)
	}
	if l.CompleteUntil != nil {
		printf(out, "The audit trail has lines from %s to %s; what happened later is from resources.\n", instant(l.CompleteFrom), instant(l.CompleteUntil))
	}
}

// day is what d means in --since.
const day = 24 * time.Hour

// pastTime is a flag for a time in the past: how long ago, or when.
type pastTime struct {
	text   string
	before time.Duration
	when   time.Time
}

// at is the time, seen from now.
func (p *pastTime) at(now time.Time) time.Time {
	if !p.when.IsZero() {
		return p.when
	}
	return now.Add(-p.before)
}

// String, Set and Type implement pflag.Value.
func (p *pastTime) String() string { return p.text }

// Set reads 90d, 12h, 2026-01-31 or 2026-01-31T08:00:00Z.
func (p *pastTime) Set(text string) error {
	wrong := errors.New("must be how long ago, such as 90d or 12h, or a time in the past such as 2026-01-31 or 2026-01-31T08:00:00Z")
	read := pastTime{text: text}
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		count, err := strconv.ParseUint(days, 10, 16)
		if err != nil || count == 0 {
			return wrong
		}
		read.before = time.Duration(count) * day
	} else if before, err := time.ParseDuration(text); err == nil {
		if before <= 0 {
			return wrong
		}
		read.before = before
	} else {
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if when, err := time.Parse(layout, text); err == nil {
				read.when = when
			}
		}
		if read.when.IsZero() || read.when.After(time.Now()) {
			return wrong
		}
	}
	*p = read
	return nil
}

// Type is the name of the value in --help.
func (p *pastTime) Type() string { return "time" }
