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

// report is the output of status.
type report struct {
	Organizations []organizationReport `json:"organizations"`
	// Problems are the resources that are not ready.
	Problems []problem `json:"problems"`
	// InOrder is true when nothing needs attention.
	InOrder bool `json:"inOrder"`
}

type organizationReport struct {
	Namespace      string `json:"namespace"`
	Name           string `json:"name"`
	People         int32  `json:"people"`
	Active         int32  `json:"active"`
	Synced         int32  `json:"synced"`
	Failing        int32  `json:"failing"`
	Drifted        int32  `json:"drifted"`
	PendingDenials int32  `json:"pendingDenials"`
	Unclaimed      int32  `json:"unclaimed"`
	// UnclaimedActive is the number of unclaimed accounts that can sign in; absent if it is not known.
	UnclaimedActive *int32            `json:"unclaimedActive,omitempty"`
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
	options := &statusOptions{}
	command := &cobra.Command{
		Use:   "status [ORGANIZATION]",
		Short: "Show organizations, resources that are not ready and why, and changes that the guard holds back",
		Long: `Show organizations, resources that are not ready and why, and changes that the guard holds back.

Without ORGANIZATION, the command shows all organizations of the namespace. It reads the status of the resources; it makes no call to
LambdaTest.

Exit codes with --exit-code: 0 if everything is in order, 2 if not or if there is no organization, 1 if the command failed. In order
means: every organization is ready and has no warning, every user and group is ready, the guard holds nothing, no denial is pending, and
no account that no resource claims can sign in. If it is not known whether such an account can sign in, that is not in order.`,
		Example: `  # The namespace of the context
  kubectl lambdatest status
  # Every namespace, for a script: exit code 2 when something is not in order
  kubectl lambdatest status -A -o json --exit-code`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return options.run(cmd.Context(), cmd.OutOrStdout(), args)
		},
	}
	options.where.bind(command)
	options.which.bind(command, &options.where)
	command.Flags().Lookup("organization").Usage = "`name` of the only LambdaTestOrganization to show; default: all"
	options.form.bind(command)
	command.Flags().BoolVarP(&options.all, "all-namespaces", "A", false, "show all namespaces")
	command.Flags().BoolVar(&options.exitCode, "exit-code", false, "exit with code 2 if anything is not in order")
	return command
}

func (o *statusOptions) run(ctx context.Context, out io.Writer, args []string) error {
	organization, err := o.which.named(args)
	if err != nil {
		return err
	}
	reader, err := o.where.connect()
	if err != nil {
		return err
	}
	namespace := o.where.namespace
	if o.all {
		namespace = metav1.NamespaceAll
	}
	found, err := readStatus(ctx, reader, namespace, organization)
	if err != nil {
		return err
	}
	if err := o.form.print(out, found, func(out io.Writer) error { return found.table(out, namespace) }); err != nil {
		return err
	}
	if o.exitCode && !found.InOrder {
		return ErrDifferences
	}
	return nil
}

// readStatus reads one namespace or all, and all organizations or the one that is named.
func readStatus(ctx context.Context, reader client.Reader, namespace, organization string) (report, error) {
	found := report{Organizations: []organizationReport{}, Problems: []problem{}}
	organizations := &v1alpha1.LambdaTestOrganizationList{}
	users := &v1alpha1.LambdaTestUserList{}
	groups := &v1alpha1.LambdaTestGroupList{}
	for _, list := range []client.ObjectList{organizations, users, groups} {
		if err := reader.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return found, listingFailed(err, namespace)
		}
	}
	asked := func(name string) bool { return organization == "" || name == organization }
	imported := importedActive(users.Items)
	for i := range organizations.Items {
		if each := &organizations.Items[i]; asked(each.Name) {
			found.Organizations = append(found.Organizations, reportOn(each, imported[client.ObjectKeyFromObject(each)]))
		}
	}
	for i := range users.Items {
		if user := &users.Items[i]; asked(user.Spec.OrganizationRef.Name) {
			found.add(user, user.Spec.OrganizationRef.Name, user.Spec.UserName, user.Status.ObservedGeneration, user.Status.PlannedChanges)
		}
	}
	for i := range groups.Items {
		if group := &groups.Items[i]; asked(group.Spec.OrganizationRef.Name) {
			found.add(group, group.Spec.OrganizationRef.Name, group.Spec.DisplayName, group.Status.ObservedGeneration, nil)
		}
	}
	if organization != "" && len(found.Organizations)+len(found.Problems) == 0 {
		return found, fmt.Errorf("there is no LambdaTestOrganization %s in %s", organization, placeOf(namespace))
	}
	found.InOrder = found.isInOrder()
	return found, nil
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

// imports counts the imported resources of an organization: each stands for an account that no other resource claims.
type imports struct{ all, active int32 }

func importedActive(users []v1alpha1.LambdaTestUser) map[client.ObjectKey]imports {
	counted := map[client.ObjectKey]imports{}
	for i := range users {
		user := &users[i]
		if !v1alpha1.IsImported(user) {
			continue
		}
		key := client.ObjectKey{Namespace: user.Namespace, Name: user.Spec.OrganizationRef.Name}
		sum := counted[key]
		sum.all++
		if !user.IsDenial() {
			sum.active++
		}
		counted[key] = sum
	}
	return counted
}

func reportOn(organization *v1alpha1.LambdaTestOrganization, imported imports) organizationReport {
	status := organization.Status
	ready := currentReady(organization, status.ObservedGeneration)
	line := organizationReport{
		Namespace: organization.Namespace, Name: organization.Name,
		People: value(status.People), Active: value(status.Active), Synced: value(status.Synced),
		Failing: value(status.Failing), Drifted: value(status.Drifted), PendingDenials: value(status.PendingDenials),
		Unclaimed: value(status.Unclaimed),
		Ready:     string(ready.Status), Reason: ready.Reason, Message: ready.Message,
		Warnings: append(warningsOf(organization), scimWarnings(organization, time.Now())...),
	}
	if status.Unclaimed != nil && imported.all >= line.Unclaimed {
		line.UnclaimedActive = &imported.active
	}
	if status.Guard != nil {
		line.Held = status.Guard.Held
	}
	return line
}

// warningsOf returns the true conditions that are warnings: not Ready, Reconciling and Stalled, and not GuardHolding, because the report
// shows held changes separately.
func warningsOf(organization *v1alpha1.LambdaTestOrganization) []warning {
	var warnings []warning
	for _, condition := range organization.Status.Conditions {
		switch condition.Type {
		case v1alpha1.ReadyCondition, v1alpha1.ReconcilingCondition, v1alpha1.StalledCondition, v1alpha1.GuardHoldingCondition:
			continue
		}
		if condition.Status == metav1.ConditionTrue {
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

// add adds a resource to the problems unless it is ready in its current generation.
func (r *report) add(resource conditioned, organization, subject string, observed int64, changes []v1alpha1.PlannedChange) {
	ready := currentReady(resource, observed)
	if ready.Status == metav1.ConditionTrue {
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
	return len(r.Organizations) > 0 && len(r.Problems) == 0 &&
		!slices.ContainsFunc(r.Organizations, func(o organizationReport) bool { return !o.isInOrder() })
}

func (o *organizationReport) isInOrder() bool {
	return o.Ready == string(metav1.ConditionTrue) && len(o.Warnings) == 0 && o.Held == nil &&
		o.Failing == 0 && o.Drifted == 0 && o.PendingDenials == 0 &&
		o.UnclaimedActive != nil && *o.UnclaimedActive == 0
}

func (r *report) table(out io.Writer, namespace string) error {
	if len(r.Organizations) == 0 {
		printf(out, "There is no LambdaTestOrganization in %s.%s\n", placeOf(namespace), elsewhere(namespace))
	}
	rows := make([][]string, 0, len(r.Organizations))
	for _, o := range r.Organizations {
		rows = append(rows, []string{o.Namespace, o.Name, number(o.People), number(o.Active), number(o.Synced), number(o.Failing),
			number(o.Drifted), number(o.PendingDenials), number(o.Unclaimed), number(heldCount(o.Held)), o.Ready, o.Reason})
	}
	header := []string{"NAMESPACE", "ORGANIZATION", "PEOPLE", "ACTIVE", "SYNCED", "FAILING", "DRIFTED", "PENDING DENIALS", "UNCLAIMED", "HELD", "READY", "REASON"}
	if err := printTable(out, header, rows); err != nil {
		return err
	}
	for _, o := range r.Organizations {
		o.explain(out)
	}
	if r.InOrder {
		printf(out, "\nEverything is in order.\n")
	}
	return r.problemTable(out)
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
		say("%s denied and can still sign in at LambdaTest.", plural(int(o.PendingDenials), "person is", "people are"))
	}
	if o.Ready != string(metav1.ConditionTrue) {
		say("%s: %s", o.Reason, o.Message)
	}
	for _, each := range o.Warnings {
		say("%s: %s", each.Reason, each.Message)
	}
	if o.Held != nil {
		say("%s held back by the guard. Review and decide:\n  kubectl lambdatest approve %s -n %s\n  kubectl lambdatest reject %s -n %s",
			plural(int(o.Held.Count), "person is", "people are"), o.Name, o.Namespace, o.Name, o.Namespace)
	}
	o.explainUnclaimed(say)
}

func (o *organizationReport) explainUnclaimed(say func(string, ...any)) {
	switch {
	case o.Unclaimed == 0:
	case o.UnclaimedActive == nil:
		say("%s claimed by no resource, and may be able to sign in. To see them, set importUsers: Observe, or run:\n  kubectl lambdatest export --from-lambdatest --organization %s -n %s",
			plural(int(o.Unclaimed), "account at LambdaTest is", "accounts at LambdaTest are"), o.Name, o.Namespace)
	case *o.UnclaimedActive > 0:
		say("%s claimed by no resource except an import, and can sign in. Declare or deny them: kubectl lambdatest export NAME",
			plural(int(*o.UnclaimedActive), "account at LambdaTest is", "accounts at LambdaTest are"))
	}
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
