// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// report is what status answers.
type report struct {
	Organizations []organizationReport `json:"organizations"`
	// Problems are the resources that are not ready.
	Problems []problem `json:"problems"`
}

type organizationReport struct {
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	People    int32             `json:"people"`
	Active    int32             `json:"active"`
	Synced    int32             `json:"synced"`
	Failing   int32             `json:"failing"`
	Drifted   int32             `json:"drifted"`
	Unclaimed int32             `json:"unclaimed"`
	Held      *v1alpha1.HeldSet `json:"held,omitempty"`
	Ready     string            `json:"ready"`
	Reason    string            `json:"reason"`
	Message   string            `json:"message"`
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

func statusCommand() *cobra.Command {
	var where cluster
	var form output
	var all, exitCode bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Show the organizations, who is not as they should be and why, and what is held",
		Example: `  # The namespace of the context
  kubectl lambdatest status
  # Every namespace, for a script: exit code 2 when somebody is not as they should be
  kubectl lambdatest status -A -o json --exit-code`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			reader, err := where.connect()
			if err != nil {
				return err
			}
			namespace := where.namespace
			if all {
				namespace = metav1.NamespaceAll
			}
			found, err := readStatus(cmd.Context(), reader, namespace)
			if err != nil {
				return err
			}
			if err := form.print(cmd.OutOrStdout(), found, found.table); err != nil {
				return err
			}
			return found.verdict(exitCode)
		},
	}
	where.bind(command)
	form.bind(command)
	command.Flags().BoolVarP(&all, "all-namespaces", "A", false, "look into every namespace")
	command.Flags().BoolVar(&exitCode, "exit-code", false, "end with code 2 when anything is not as it should be")
	return command
}

func readStatus(ctx context.Context, reader client.Reader, namespace string) (report, error) {
	found := report{Organizations: []organizationReport{}, Problems: []problem{}}
	organizations := &v1alpha1.LambdaTestOrganizationList{}
	users := &v1alpha1.LambdaTestUserList{}
	groups := &v1alpha1.LambdaTestGroupList{}
	for _, list := range []client.ObjectList{organizations, users, groups} {
		if err := reader.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return found, fmt.Errorf("listing resources: %w", err)
		}
	}
	for i := range organizations.Items {
		found.Organizations = append(found.Organizations, reportOn(&organizations.Items[i]))
	}
	for i := range users.Items {
		user := &users.Items[i]
		found.add(user, user.Spec.OrganizationRef.Name, user.Spec.UserName, user.Status.ObservedGeneration, user.Status.PlannedChanges)
	}
	for i := range groups.Items {
		group := &groups.Items[i]
		found.add(group, group.Spec.OrganizationRef.Name, group.Spec.DisplayName, group.Status.ObservedGeneration, nil)
	}
	return found, nil
}

func reportOn(organization *v1alpha1.LambdaTestOrganization) organizationReport {
	status := organization.Status
	ready := readyOf(organization)
	line := organizationReport{
		Namespace: organization.Namespace, Name: organization.Name,
		People: value(status.People), Active: value(status.Active), Synced: value(status.Synced),
		Failing: value(status.Failing), Drifted: value(status.Drifted), Unclaimed: value(status.Unclaimed),
		Ready: string(ready.Status), Reason: ready.Reason, Message: ready.Message,
	}
	if status.Guard != nil {
		line.Held = status.Guard.Held
	}
	return line
}

// conditioned is a resource of this API.
type conditioned interface {
	client.Object
	GetConditions() []metav1.Condition
}

// add notes a resource unless it is ready in its present generation.
func (r *report) add(resource conditioned, organization, subject string, observed int64, changes []v1alpha1.PlannedChange) {
	ready := readyOf(resource)
	if ready.Status == metav1.ConditionTrue && observed == resource.GetGeneration() {
		return
	}
	if ready.Status == metav1.ConditionTrue {
		ready.Reason, ready.Message = v1alpha1.ProgressingReason, "The latest change was not looked at yet."
	}
	kind := "LambdaTestUser"
	if _, isGroup := resource.(*v1alpha1.LambdaTestGroup); isGroup {
		kind = "LambdaTestGroup"
	}
	r.Problems = append(r.Problems, problem{
		Namespace: resource.GetNamespace(), Resource: kind + "/" + resource.GetName(), Organization: organization,
		Subject: subject, Reason: ready.Reason, Message: ready.Message, Changes: changes,
	})
}

func readyOf(resource conditioned) metav1.Condition {
	if ready := meta.FindStatusCondition(resource.GetConditions(), v1alpha1.ReadyCondition); ready != nil {
		return *ready
	}
	return metav1.Condition{Status: metav1.ConditionUnknown, Reason: v1alpha1.ProgressingReason, Message: "The operator has not looked at it yet."}
}

func (r report) table(out io.Writer) error {
	if len(r.Organizations) == 0 {
		fmt.Fprintln(out, "There is no LambdaTestOrganization here; look into every namespace with -A.")
	}
	rows := make([][]string, 0, len(r.Organizations))
	for _, o := range r.Organizations {
		rows = append(rows, []string{o.Namespace, o.Name, number(o.People), number(o.Active), number(o.Synced), number(o.Failing),
			number(o.Drifted), number(o.Unclaimed), number(heldCount(o.Held)), o.Ready, o.Reason})
	}
	header := []string{"NAMESPACE", "ORGANIZATION", "PEOPLE", "ACTIVE", "SYNCED", "FAILING", "DRIFTED", "UNCLAIMED", "HELD", "READY", "REASON"}
	if err := printTable(out, header, rows); err != nil {
		return err
	}
	for _, o := range r.Organizations {
		o.explain(out)
	}
	return r.problemTable(out)
}

// explain says what the table cannot: why an organization is not ready, and what is held.
func (o organizationReport) explain(out io.Writer) {
	if o.Ready != string(metav1.ConditionTrue) {
		fmt.Fprintf(out, "\n%s/%s: %s\n", o.Namespace, o.Name, o.Message)
	}
	if o.Held != nil {
		fmt.Fprintf(out, "\n%s/%s: %s held back by the guard. Look and decide:\n  kubectl lambdatest approve %s -n %s\n  kubectl lambdatest reject %s -n %s\n",
			o.Namespace, o.Name, plural(int(o.Held.Count), "person is", "people are"), o.Name, o.Namespace, o.Name, o.Namespace)
	}
}

func (r report) problemTable(out io.Writer) error {
	if len(r.Problems) == 0 {
		if len(r.Organizations) > 0 {
			fmt.Fprintln(out, "\nEverybody is as they should be.")
		}
		return nil
	}
	fmt.Fprintf(out, "\nNot as they should be:\n")
	rows := make([][]string, 0, len(r.Problems))
	for _, p := range r.Problems {
		rows = append(rows, []string{p.Namespace, p.Resource, p.Subject, p.Reason, p.Message})
	}
	return printTable(out, []string{"NAMESPACE", "RESOURCE", "WHO", "REASON", "MESSAGE"}, rows)
}

// verdict is the error of --exit-code.
func (r report) verdict(asked bool) error {
	if !asked {
		return nil
	}
	for _, o := range r.Organizations {
		if o.Ready != string(metav1.ConditionTrue) || o.Held != nil {
			return ErrDifferences
		}
	}
	if len(r.Problems) > 0 {
		return ErrDifferences
	}
	return nil
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
