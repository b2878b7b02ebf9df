// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// report is the output of status. The most urgent comes first.
type report struct {
	AsOf metav1.Time `json:"asOf"`
	// InOrder is true when nothing needs attention.
	InOrder bool `json:"inOrder"`
	// DeniedButActive are the people who are denied and can still sign in, or may be able to.
	DeniedButActive []personRow          `json:"deniedButActive"`
	Organizations   []organizationReport `json:"organizations"`
	// Held is what the guard holds, by organization and by what would happen.
	Held []heldBlock `json:"held"`
	// Refused are the people for whom LambdaTest refuses something. The identity provider takes them for provisioned.
	Refused []personRow `json:"refused"`
	// Problems are the other resources that are not ready.
	Problems []problem `json:"problems"`
}

type organizationReport struct {
	Namespace      string `json:"namespace"`
	Name           string `json:"name"`
	People         int32  `json:"people"`
	Active         int32  `json:"active"`
	PendingDenials int32  `json:"pendingDenials"`
	Synced         int32  `json:"synced"`
	Failing        int32  `json:"failing"`
	Drifted        int32  `json:"drifted"`
	Refused        int32  `json:"refused"`
	// Admins is the number of active Admins, claimed or not; absent if it is not known.
	Admins    *int32 `json:"admins,omitempty"`
	Unclaimed int32  `json:"unclaimed"`
	// UnclaimedActive and UnclaimedAdmins are the numbers of unclaimed accounts that can sign in; absent if they are not known.
	UnclaimedActive *int32            `json:"unclaimedActive,omitempty"`
	UnclaimedAdmins *int32            `json:"unclaimedAdmins,omitempty"`
	Held            *v1alpha1.HeldSet `json:"held,omitempty"`
	Ready           string            `json:"ready"`
	Reason          string            `json:"reason"`
	Message         string            `json:"message"`
	// Warnings are the other conditions that are true and need attention, and what the SCIM endpoint reports.
	Warnings []warning `json:"warnings,omitempty"`
}

type warning struct {
	Condition string `json:"condition"`
	Reason    string `json:"reason"`
	Message   string `json:"message"`
}

type problem struct {
	Namespace    string                   `json:"namespace"`
	Resource     string                   `json:"resource"`
	Organization string                   `json:"organization"`
	Subject      string                   `json:"subject"`
	Reason       string                   `json:"reason"`
	Message      string                   `json:"message"`
	Changes      []v1alpha1.PlannedChange `json:"changes,omitempty"`
}

// statusOptions are the flags of status.
type statusOptions struct {
	where    cluster
	which    choice
	form     output
	all      bool
	exitCode bool
}

func statusCommand() *cobra.Command {
	options := &statusOptions{which: choice{all: true}}
	command := &cobra.Command{
		Use:   "status",
		Short: "Show who is denied and can still sign in, what the guard holds, whom LambdaTest refuses, and what else is not in order",
		Long: `Show, in this order: the people who are denied and can still sign in; organizations; what the guard holds back; the people whom LambdaTest
refuses; and the other resources that are not ready, with the reason.

The command reads the status of the resources, as the operator wrote it until now; it makes no call to LambdaTest.

Exit codes with --exit-code: 0 if everything is in order; 3 if a person is denied and can still sign in; 2 if anything else is not in order,
or there is no organization; 1 if the command failed. In order means: every organization is ready and has no warning, every user and group is
ready, the guard holds nothing, no denial is pending, and no account that no resource claims can sign in. If it is not known whether such an
account can sign in, that is not in order.`,
		Example: `  # The namespace of the context
  kubectl lambdatest status
  # Every namespace, for a script: exit code 3 when a person is denied and still active, 2 when anything else is not in order
  kubectl lambdatest status -A -o json --exit-code`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return options.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	options.where.bind(command)
	options.which.bind(command, &options.where)
	options.form.bind(command)
	command.Flags().BoolVarP(&options.all, "all-namespaces", "A", false, "show all namespaces")
	command.Flags().BoolVar(&options.exitCode, "exit-code", false, "exit with code 3 if a person is denied and can still sign in, and with 2 if anything else is not in order")
	return command
}

func (o *statusOptions) run(ctx context.Context, out io.Writer) error {
	reader, err := o.where.connect()
	if err != nil {
		return err
	}
	namespace := o.where.namespace
	if o.all {
		namespace = metav1.NamespaceAll
	}
	found, err := readStatus(ctx, reader, namespace, o.which.name)
	if err != nil {
		return err
	}
	if err := o.form.print(out, found, func(out io.Writer) error { return found.table(out, namespace) }); err != nil {
		return err
	}
	switch {
	case !o.exitCode || found.InOrder:
		return nil
	case found.hasDeniedButActive():
		return ErrDeniedButActive
	}
	return ErrDifferences
}

// readStatus reads one namespace or all, and all organizations or the one that is named.
func readStatus(ctx context.Context, reader client.Reader, namespace, organization string) (*report, error) {
	organizations := &v1alpha1.LambdaTestOrganizationList{}
	users := &v1alpha1.LambdaTestUserList{}
	groups := &v1alpha1.LambdaTestGroupList{}
	for _, list := range []client.ObjectList{organizations, users, groups} {
		if err := reader.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, listingFailed(err, namespace)
		}
	}
	read := &roster{
		namespace: namespace, asOf: metav1.NewTime(time.Now().Truncate(time.Second)),
		organizations: organizations.Items, users: pointers(users.Items), groups: pointers(groups.Items),
	}
	if organization != "" {
		read.keepOnly(organization)
		if len(read.organizations)+len(read.users)+len(read.groups) == 0 {
			return nil, unknownOrganization(organization, namespace, organizations.Items)
		}
	}
	return statusOf(read), nil
}

// keepOnly leaves out what is not about the organization of that name.
func (r *roster) keepOnly(organization string) {
	r.organizations = slices.DeleteFunc(slices.Clone(r.organizations), func(each v1alpha1.LambdaTestOrganization) bool { return each.Name != organization })
	r.users = slices.DeleteFunc(r.users, func(user *v1alpha1.LambdaTestUser) bool { return user.Spec.OrganizationRef.Name != organization })
	r.groups = slices.DeleteFunc(r.groups, func(group *v1alpha1.LambdaTestGroup) bool { return group.Spec.OrganizationRef.Name != organization })
}

// statusOf reports on what was read. Each person and each held change is in one part only, the most urgent one.
func statusOf(read *roster) *report {
	found := &report{
		AsOf: read.asOf, DeniedButActive: []personRow{}, Organizations: []organizationReport{}, Held: []heldBlock{}, Refused: []personRow{}, Problems: []problem{},
	}
	shown := map[client.ObjectKey]bool{}
	for _, row := range read.people() {
		switch {
		case row.isPendingDenial():
			found.DeniedButActive = append(found.DeniedButActive, row)
		case row.Refused:
			found.Refused = append(found.Refused, row)
		default:
			continue
		}
		for _, claim := range row.Claims {
			shown[client.ObjectKey{Namespace: row.Namespace, Name: claim.Resource}] = true
		}
	}
	for i := range read.organizations {
		organization := &read.organizations[i]
		found.Organizations = append(found.Organizations, reportOn(organization))
		found.Held = append(found.Held, heldBlocks(organization, read)...)
	}
	for _, user := range read.users {
		if !shown[client.ObjectKey{Namespace: user.Namespace, Name: v1alpha1.UserKind + "/" + user.Name}] {
			found.add(user, user.Spec.OrganizationRef.Name, user.Spec.UserName, user.Status.ObservedGeneration, user.Status.PlannedChanges)
		}
	}
	for _, group := range read.groups {
		found.add(group, group.Spec.OrganizationRef.Name, group.Spec.DisplayName, group.Status.ObservedGeneration, nil)
	}
	found.InOrder = found.isInOrder()
	return found
}

// listingFailed says what to do when the user may only read single namespaces.
func listingFailed(err error, namespace string) error {
	if apierrors.IsForbidden(err) && namespace == metav1.NamespaceAll {
		return fmt.Errorf("you may not read all namespaces; choose one with -n instead of -A: %w", err)
	}
	return fmt.Errorf("listing resources: %w", err)
}

func placeOf(namespace string) string {
	if namespace == metav1.NamespaceAll {
		return "any namespace"
	}
	return "namespace " + namespace
}

func reportOn(organization *v1alpha1.LambdaTestOrganization) organizationReport {
	status := organization.Status
	ready := currentReady(organization, status.ObservedGeneration)
	line := organizationReport{
		Namespace: organization.Namespace, Name: organization.Name,
		People: value(status.People), Active: value(status.Active), Synced: value(status.Synced),
		Failing: value(status.Failing), Drifted: value(status.Drifted), PendingDenials: value(status.PendingDenials), Refused: value(status.Refused),
		Admins: status.Admins, Unclaimed: value(status.Unclaimed), UnclaimedActive: status.UnclaimedActive, UnclaimedAdmins: status.UnclaimedAdmins,
		Ready: string(ready.Status), Reason: ready.Reason, Message: ready.Message,
		Warnings: append(warningsOf(organization), scimWarnings(organization, time.Now())...),
	}
	if status.Unclaimed != nil && *status.Unclaimed == 0 {
		line.UnclaimedActive, line.UnclaimedAdmins = new(int32(0)), new(int32(0))
	}
	if status.Guard != nil {
		line.Held = status.Guard.Held
	}
	return line
}

// shownApart are the conditions about which the report has a part of its own.
var shownApart = map[string]bool{
	v1alpha1.ReadyCondition: true, v1alpha1.ReconcilingCondition: true, v1alpha1.StalledCondition: true,
	v1alpha1.GuardHoldingCondition: true, v1alpha1.PeopleDeniedButActiveCondition: true, v1alpha1.PeopleRefusedCondition: true,
}

// warningsOf returns the other conditions that are true: they are warnings.
func warningsOf(organization *v1alpha1.LambdaTestOrganization) []warning {
	var warnings []warning
	for _, condition := range organization.Status.Conditions {
		if !shownApart[condition.Type] && condition.Status == metav1.ConditionTrue {
			warnings = append(warnings, warning{Condition: condition.Type, Reason: condition.Reason, Message: condition.Message})
		}
	}
	return warnings
}

// reportShown is how long status shows what the SCIM endpoint reported.
const reportShown = 24 * time.Hour

// scimWarnings returns what the SCIM endpoint reported within the last day and needs attention.
func scimWarnings(organization *v1alpha1.LambdaTestOrganization, now time.Time) []warning {
	if organization.Status.SCIM == nil {
		return nil
	}
	recent := func(times map[string]metav1.Time) string {
		var names []string
		for _, name := range slices.Sorted(maps.Keys(times)) {
			if now.Sub(times[name].Time) < reportShown {
				names = append(names, name)
			}
		}
		return strings.Join(names, ", ")
	}
	var warnings []warning
	if names := recent(organization.Status.SCIM.LimitsReached); names != "" {
		warnings = append(warnings, warning{"SCIMLimits", "SCIMLimitReached", "the SCIM endpoint refused requests within the last day, because these of spec.scim.limits are reached: " +
			names + ". Delete what is not needed at the identity provider, or raise the limit."})
	}
	if names := recent(organization.Status.SCIM.IgnoredAttributes); names != "" {
		warnings = append(warnings, warning{"SCIMAttributes", "SCIMAttributesIgnored", "the identity provider sent attributes within the last day that the SCIM endpoint ignored: " +
			names + ". Correct the mapping at the provider: docs/okta.md, step 9."})
	}
	return warnings
}

// conditioned is a resource of this API, with conditions.
type conditioned interface {
	client.Object
	GetConditions() []metav1.Condition
}

// add adds a resource to the problems unless it is ready in its current generation, or held by the guard, which has a part of its own.
func (r *report) add(resource conditioned, organization, subject string, observed int64, changes []v1alpha1.PlannedChange) {
	ready := currentReady(resource, observed)
	if ready.Status == metav1.ConditionTrue || heldReasons[ready.Reason] && r.showsHeld(resource.GetNamespace(), organization) {
		return
	}
	kind := v1alpha1.UserKind
	if _, isGroup := resource.(*v1alpha1.LambdaTestGroup); isGroup {
		kind = v1alpha1.GroupKind
	}
	r.Problems = append(r.Problems, problem{
		Namespace: resource.GetNamespace(), Resource: kind + "/" + resource.GetName(), Organization: organization,
		Subject: subject, Reason: ready.Reason, Message: ready.Message, Changes: changes,
	})
}

// showsHeld says that the report has what the guard of an organization holds.
func (r *report) showsHeld(namespace, organization string) bool {
	return slices.ContainsFunc(r.Held, func(block heldBlock) bool { return block.Namespace == namespace && block.Organization == organization })
}

// currentReady is the Ready condition; Unknown if it is missing, or true for an older generation.
func currentReady(resource conditioned, observed int64) metav1.Condition {
	ready := meta.FindStatusCondition(resource.GetConditions(), v1alpha1.ReadyCondition)
	switch {
	case ready == nil:
		return metav1.Condition{Status: metav1.ConditionUnknown, Reason: v1alpha1.ProgressingReason, Message: "The operator has not reconciled it yet."}
	case ready.Status == metav1.ConditionTrue && observed != resource.GetGeneration():
		return metav1.Condition{Status: metav1.ConditionUnknown, Reason: v1alpha1.ProgressingReason, Message: "The operator has not reconciled the latest change yet."}
	default:
		return *ready
	}
}

// isInOrder reports whether nothing needs attention. What is not known counts as not in order.
func (r *report) isInOrder() bool {
	return len(r.Organizations) > 0 && len(r.DeniedButActive)+len(r.Held)+len(r.Refused)+len(r.Problems) == 0 &&
		!slices.ContainsFunc(r.Organizations, func(o organizationReport) bool { return !o.isInOrder() })
}

func (o *organizationReport) isInOrder() bool {
	return o.Ready == string(metav1.ConditionTrue) && len(o.Warnings) == 0 && o.Held == nil &&
		o.Failing == 0 && o.Drifted == 0 && o.PendingDenials == 0 && o.Refused == 0 &&
		o.UnclaimedActive != nil && *o.UnclaimedActive == 0
}

// hasDeniedButActive also counts people whose resources are gone, who are in the count of the organization only.
func (r *report) hasDeniedButActive() bool {
	return len(r.DeniedButActive) > 0 || slices.ContainsFunc(r.Organizations, func(o organizationReport) bool { return o.PendingDenials > 0 })
}

func (r *report) table(out io.Writer, namespace string) error {
	if err := r.deniedTable(out); err != nil {
		return err
	}
	if len(r.Organizations) == 0 {
		printf(out, "There is no LambdaTestOrganization in %s.%s\n", placeOf(namespace), elsewhere(namespace))
	}
	rows := make([][]string, 0, len(r.Organizations))
	for _, o := range r.Organizations {
		rows = append(rows, []string{o.Namespace, o.Name, number(o.People), number(o.Active), number(o.PendingDenials), known(o.Admins), number(o.Synced),
			number(o.Failing), number(o.Drifted), number(o.Refused), number(o.Unclaimed), known(o.UnclaimedActive), number(heldCount(o.Held)), o.Ready, o.Reason})
	}
	header := []string{"NAMESPACE", "ORGANIZATION", "PEOPLE", "ACTIVE", "DENIED BUT ACTIVE", "ADMINS", "SYNCED", "FAILING", "DRIFTED", "REFUSED",
		"UNCLAIMED", "UNCLAIMED ACTIVE", "HELD", "READY", "REASON"}
	if err := printTable(out, header, rows); err != nil {
		return err
	}
	for _, o := range r.Organizations {
		o.explain(out)
	}
	for _, block := range r.Held {
		block.print(out)
	}
	if err := r.refusedTable(out); err != nil {
		return err
	}
	if err := r.problemTable(out); err != nil {
		return err
	}
	if r.InOrder {
		printf(out, "\nEverything is in order.")
	}
	printf(out, "\nAs of %s, by what the operator wrote until then.\n", instant(&r.AsOf))
	return nil
}

// deniedTable comes before everything else.
func (r *report) deniedTable(out io.Writer) error {
	if len(r.DeniedButActive) == 0 {
		return nil
	}
	printf(out, "DENIED AND STILL ACTIVE: %s can sign in at LambdaTest, or may be able to, although denied.\nThe operator goes on trying. If it cannot wait, deactivate them by hand at LambdaTest.\n",
		plural(len(r.DeniedButActive), "person", "people"))
	rows := make([][]string, 0, len(r.DeniedButActive))
	for i := range r.DeniedButActive {
		row := &r.DeniedButActive[i]
		rows = append(rows, []string{row.Namespace, row.Organization, row.UserName, row.Role, row.AccountID, instant(row.Since), row.shownBy(), row.Reason, row.Message})
	}
	err := printTable(out, []string{"NAMESPACE", "ORGANIZATION", "USERNAME", "ROLE", "ACCOUNT", "DENIED SINCE", "BY", "REASON", "MESSAGE"}, rows)
	printf(out, "\n")
	return err
}

func elsewhere(namespace string) string {
	if namespace == metav1.NamespaceAll {
		return ""
	}
	return " Check the name of the namespace, or show all namespaces with -A."
}

// explain prints what needs attention, the most urgent first.
func (o *organizationReport) explain(out io.Writer) {
	say := func(format string, args ...any) {
		printf(out, "\n%s/%s: "+format+"\n", append([]any{o.Namespace, o.Name}, args...)...)
	}
	if o.PendingDenials > 0 {
		say("%s denied and can still sign in at LambdaTest, or may be able to.", plural(int(o.PendingDenials), "person is", "people are"))
	}
	if o.Ready != string(metav1.ConditionTrue) {
		say("%s: %s", o.Reason, o.Message)
	}
	for _, each := range o.Warnings {
		say("%s: %s", each.Reason, each.Message)
	}
	o.explainUnclaimed(say)
}

func (o *organizationReport) explainUnclaimed(say func(string, ...any)) {
	list := "To see them: kubectl lambdatest who --unclaimed --from-lambdatest --organization %s -n %s"
	switch {
	case o.Unclaimed == 0:
	case o.UnclaimedActive == nil:
		say("%s claimed by no resource, and may be able to sign in. "+list,
			plural(int(o.Unclaimed), "account at LambdaTest is", "accounts at LambdaTest are"), o.Name, o.Namespace)
	case *o.UnclaimedActive > 0:
		say("%s claimed by no resource and can sign in%s. "+list,
			plural(int(*o.UnclaimedActive), "account at LambdaTest is", "accounts at LambdaTest are"), asAdmins(o.UnclaimedAdmins), o.Name, o.Namespace)
	}
}

// asAdmins says how many of them are Admin.
func asAdmins(admins *int32) string {
	if admins == nil || *admins == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of them as Admin", *admins)
}

func (r *report) refusedTable(out io.Writer) error {
	if len(r.Refused) == 0 {
		return nil
	}
	printf(out, "\nRefused by LambdaTest, although the identity provider may show them as provisioned:\n")
	rows := make([][]string, 0, len(r.Refused))
	for _, row := range r.Refused {
		rows = append(rows, []string{row.Namespace, row.Organization, row.UserName, row.Reason, row.Message})
	}
	return printTable(out, []string{"NAMESPACE", "ORGANIZATION", "USERNAME", "REASON", "MESSAGE"}, rows)
}

func (r *report) problemTable(out io.Writer) error {
	if len(r.Problems) == 0 {
		return nil
	}
	printf(out, "\nNot ready:\n")
	rows := make([][]string, 0, len(r.Problems))
	for _, p := range r.Problems {
		rows = append(rows, []string{p.Namespace, p.Resource, p.Subject, p.Reason, p.Message})
	}
	return printTable(out, []string{"NAMESPACE", "RESOURCE", "WHO", "REASON", "MESSAGE"}, rows)
}

func heldCount(held *v1alpha1.HeldSet) int32 {
	if held == nil {
		return 0
	}
	return held.Count
}

func value(count *int32) int32 {
	if count == nil {
		return 0
	}
	return *count
}

func number(count int32) string { return strconv.Itoa(int(count)) }

// known is a number, or a question mark if it is not known.
func known(count *int32) string {
	if count == nil {
		return "?"
	}
	return number(*count)
}
