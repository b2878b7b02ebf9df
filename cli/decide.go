// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// decision is one way to decide about the people whom the guard holds back.
type decision struct {
	annotation string
	question   string
	done       string
}

func approveCommand() *cobra.Command {
	return decideCommand(decision{
		annotation: v1alpha1.ApproveDeprovisionAnnotation,
		question:   "Make these changes at LambdaTest, for %s?",
		done:       "Approved: the operator now makes these changes. To follow them: kubectl lambdatest status",
	}, &cobra.Command{
		Use:   "approve",
		Short: "Approve the changes that the guard holds back (deactivations, lower roles, regained access); shows them and asks first",
		Example: `  kubectl lambdatest approve
  # In a pipeline: approve only the set that was reviewed
  kubectl lambdatest approve --organization staging --token 7f3c… --yes
  # Let two of them go; the others stay held
  kubectl lambdatest approve --only ada@example.com,grace`,
	})
}

func rejectCommand() *cobra.Command {
	return decideCommand(decision{
		annotation: v1alpha1.RejectDeprovisionAnnotation,
		question:   "Change nothing at LambdaTest for %s, and finish deleting the resources?",
		done:       "Rejected: the accounts stay unchanged. To manage them again, declare them again, for example in Git.",
	}, &cobra.Command{
		Use:     "reject",
		Short:   "Reject the changes that the guard holds back: accounts stay unchanged, the resources are deleted; shows them and asks first",
		Example: "  kubectl lambdatest reject",
	})
}

func decideCommand(what decision, command *cobra.Command) *cobra.Command {
	options := &decideOptions{what: what}
	command.Args = noArguments
	command.RunE = func(cmd *cobra.Command, _ []string) error {
		return options.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
	}
	options.where.bind(command)
	options.which.bind(command, &options.where)
	flags := command.Flags()
	flags.StringVar(&options.token, "token", "", "`token` of the held set, as status shows it; fail if another set is held now")
	flags.StringSliceVar(&options.only, "only", nil, "decide only about these of the held set: addresses, names of LambdaTestUsers, or LambdaTestGroup/`NAME`; the others stay held")
	flags.BoolVarP(&options.yes, "yes", "y", false, "do not ask for confirmation")
	return command
}

// decideOptions are the flags of approve and reject.
type decideOptions struct {
	what  decision
	where cluster
	which choice
	token string
	only  []string
	yes   bool
}

func (o *decideOptions) run(ctx context.Context, in io.Reader, out io.Writer) error {
	writer, err := o.where.connect()
	if err != nil {
		return err
	}
	organization, err := o.which.find(ctx, writer, o.where.namespace)
	if err != nil {
		return err
	}
	held, err := heldSet(organization, o.token)
	if err != nil {
		return err
	}
	rows, err := heldRows(ctx, writer, organization.Namespace, held)
	if err != nil {
		return err
	}
	chosen, err := chooseHeld(rows, o.only)
	if err != nil {
		return err
	}
	count := peopleIn(chosen)
	if len(o.only) == 0 {
		count = int(held.Count)
	}
	if err := showHeld(out, organization, held, chosen, int(held.Count)-count); err != nil {
		return err
	}
	if !o.yes && !confirmed(in, out, o.what.question, plural(count, "person", "people")) {
		return errNothingDone
	}
	user, err := whoAmI(ctx, writer)
	if err != nil {
		return err
	}
	made := v1alpha1.Decision{Token: held.Token}
	if len(chosen) < len(rows) {
		made.Only = resourcesOf(chosen)
	}
	if err := annotate(ctx, writer, organization, o.what.annotation, made, user); err != nil {
		return err
	}
	printf(out, "%s\n", o.what.done)
	return nil
}

// heldSet returns the held set. It is an error when the token names another set.
func heldSet(organization *v1alpha1.LambdaTestOrganization, token string) (*v1alpha1.HeldSet, error) {
	guard := organization.Status.Guard
	if guard == nil || guard.Held == nil {
		return nil, fmt.Errorf("the guard holds nothing in organization %s", organization.Name)
	}
	if token != "" && token != guard.Held.Token {
		return nil, fmt.Errorf("the guard now holds another set, with token %s: run the command again without --token to see it", guard.Held.Token)
	}
	return guard.Held, nil
}

// heldRow is an entry of a held set, with what its resource says where it can still be read.
type heldRow struct {
	heldEntry
	// userNames are that of the person, or those of a group's members who would lose a role.
	userNames []string
	role      string
}

func heldRows(ctx context.Context, reader client.Reader, namespace string, held *v1alpha1.HeldSet) ([]heldRow, error) {
	rows := make([]heldRow, 0, len(held.People))
	for _, entry := range held.People {
		row := heldRow{heldEntry: parseHeld(entry)}
		if err := row.read(ctx, reader, namespace); err != nil {
			return nil, fmt.Errorf("reading %s: %w", row.resource, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (r *heldRow) read(ctx context.Context, reader client.Reader, namespace string) error {
	if name, isGroup := strings.CutPrefix(r.resource, v1alpha1.GroupKind+"/"); isGroup {
		group := &v1alpha1.LambdaTestGroup{}
		err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, group)
		r.userNames = group.Status.HeldMembers
		return client.IgnoreNotFound(err)
	}
	user := &v1alpha1.LambdaTestUser{}
	if err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: r.resource}, user); err != nil {
		return client.IgnoreNotFound(err)
	}
	r.userNames = []string{user.Spec.UserName}
	if user.Status.Account != nil {
		r.role = user.Status.Account.Role
	}
	return nil
}

// chooseHeld returns the rows that are named: by address, or by resource. All of them, if none is named.
func chooseHeld(rows []heldRow, only []string) ([]heldRow, error) {
	if len(only) == 0 {
		return rows, nil
	}
	chosen := map[int]bool{}
	for _, name := range only {
		found := false
		for i := range rows {
			if rows[i].isNamed(name) {
				chosen[i], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("%s is not in the held set, in which there is: %s", name, firstOf(resourcesOf(rows), mostNamed))
		}
	}
	var named []heldRow
	for i, row := range rows {
		if chosen[i] {
			named = append(named, row)
		}
	}
	return named, nil
}

// isNamed does not take an address for a group: a decision about a group is about all of its members.
func (r *heldRow) isNamed(name string) bool {
	if strings.TrimPrefix(name, v1alpha1.UserKind+"/") == r.resource {
		return true
	}
	isGroup := strings.HasPrefix(r.resource, v1alpha1.GroupKind+"/")
	return !isGroup && len(r.userNames) == 1 && v1alpha1.FoldUserName(r.userNames[0]) == v1alpha1.FoldUserName(name)
}

// resourcesOf are the names as entries of a held set begin, each once.
func resourcesOf(rows []heldRow) []string {
	names := make([]string, 0, len(rows))
	for _, row := range rows {
		names = append(names, row.resource)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func peopleIn(rows []heldRow) int {
	sum := 0
	for _, row := range rows {
		sum += row.people
	}
	return sum
}

// showHeld lists the changes that are decided about, and says how many others stay held.
func showHeld(out io.Writer, organization *v1alpha1.LambdaTestOrganization, held *v1alpha1.HeldSet, rows []heldRow, others int) error {
	printf(out, "Held back in organization %s (token %s):\n\n", organization.Name, held.Token)
	shown := sheet{header: []string{"RESOURCE", "WHO", "ROLE NOW", "WOULD"}}
	for _, row := range rows {
		shown.rows = append(shown.rows, []string{row.resource, firstOf(row.userNames, mostNamed), row.role, row.change})
	}
	if err := shown.print(out); err != nil {
		return err
	}
	if more := int(held.Count) - peopleIn(rows) - others; more > 0 {
		printf(out, "… and %d more\n", more)
	}
	if others > 0 {
		printf(out, "\nStill held: %s.\n", plural(others, "other person", "other people"))
	}
	printf(out, "\n")
	return nil
}

// annotate decides, and says who does.
func annotate(ctx context.Context, writer client.Client, organization *v1alpha1.LambdaTestOrganization, annotation string, made v1alpha1.Decision, user string) error {
	before := organization.DeepCopy()
	if organization.Annotations == nil {
		organization.Annotations = map[string]string{}
	}
	organization.Annotations[annotation] = made.String()
	organization.Annotations[v1alpha1.DecidedByAnnotation] = v1alpha1.DecidedBy(made.Token, user)
	if err := writer.Patch(ctx, organization, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("annotating organization %s: %w", organization.Name, err)
	}
	return nil
}

// confirmed asks for a "yes"; anything else, or the end of input, is a no.
func confirmed(in io.Reader, out io.Writer, question string, args ...any) bool {
	printf(out, question+" Type yes: ", args...)
	answer, _ := bufio.NewReader(in).ReadString('\n')
	return strings.TrimSpace(answer) == "yes"
}
