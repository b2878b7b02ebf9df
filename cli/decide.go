// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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
		Use:   "approve [ORGANIZATION]",
		Short: "Approve the changes that the guard holds back (deactivations, lower roles, regained access); shows them and asks first",
		Example: `  kubectl lambdatest approve default
  # In a pipeline: approve only the set that was reviewed
  kubectl lambdatest approve default --token 7f3c… --yes`,
	})
}

func rejectCommand() *cobra.Command {
	return decideCommand(decision{
		annotation: v1alpha1.RejectDeprovisionAnnotation,
		question:   "Change nothing at LambdaTest for %s, and finish deleting the resources?",
		done:       "Rejected: the accounts stay unchanged. To manage them again, declare them again, for example in Git.",
	}, &cobra.Command{
		Use:     "reject [ORGANIZATION]",
		Short:   "Reject the changes that the guard holds back: accounts stay unchanged, the resources are deleted; shows them and asks first",
		Example: "  kubectl lambdatest reject default",
	})
}

func decideCommand(what decision, command *cobra.Command) *cobra.Command {
	var where cluster
	var which choice
	var token string
	var yes bool
	command.Args = cobra.MaximumNArgs(1)
	command.RunE = func(cmd *cobra.Command, args []string) error {
		writer, err := where.connect()
		if err != nil {
			return err
		}
		organization, err := which.find(cmd.Context(), writer, where.namespace, args)
		if err != nil {
			return err
		}
		held, err := heldSet(organization, token)
		if err != nil {
			return err
		}
		if err := showHeld(cmd.Context(), cmd.OutOrStdout(), writer, organization, held); err != nil {
			return err
		}
		if !yes && !confirmed(cmd.InOrStdin(), cmd.OutOrStdout(), what.question, plural(int(held.Count), "person", "people")) {
			return errNothingDone
		}
		if err := annotate(cmd.Context(), writer, organization, what.annotation, held.Token); err != nil {
			return err
		}
		printf(cmd.OutOrStdout(), "%s\n", what.done)
		return nil
	}
	where.bind(command)
	which.bind(command, &where)
	command.Flags().StringVar(&token, "token", "", "`token` of the held set, as status shows it; fail if another set is held now")
	command.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	return command
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

// showHeld lists the held changes. It shows userName and role where the resource can still be read.
func showHeld(ctx context.Context, out io.Writer, reader client.Reader, organization *v1alpha1.LambdaTestOrganization, held *v1alpha1.HeldSet) error {
	rows := make([][]string, 0, len(held.People))
	for _, entry := range held.People {
		row, err := heldRow(ctx, reader, organization.Namespace, entry)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	printf(out, "Held back in organization %s (token %s):\n\n", organization.Name, held.Token)
	if err := printTable(out, []string{"RESOURCE", "USERNAME", "ROLE NOW", "WOULD"}, rows); err != nil {
		return err
	}
	if more := int(held.Count) - len(held.People); more > 0 {
		printf(out, "… and %d more\n", more)
	}
	printf(out, "\n")
	return nil
}

// heldRow is the row for one entry of a held set: the name of a resource, then ": " and the change. Without a change it is the loss of
// access.
func heldRow(ctx context.Context, reader client.Reader, namespace, entry string) ([]string, error) {
	name, would, said := strings.Cut(entry, ": ")
	if !said {
		would = "lose access"
	}
	row := []string{name, "", "", would}
	user := &v1alpha1.LambdaTestUser{}
	err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: strings.TrimPrefix(name, v1alpha1.UserKind+"/")}, user)
	switch {
	case apierrors.IsNotFound(err), strings.HasPrefix(name, v1alpha1.GroupKind+"/"):
		return row, nil
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	row[1] = user.Spec.UserName
	if user.Status.Account != nil {
		row[2] = user.Status.Account.Role
	}
	return row, nil
}

func annotate(ctx context.Context, writer client.Client, organization *v1alpha1.LambdaTestOrganization, annotation, value string) error {
	before := organization.DeepCopy()
	if organization.Annotations == nil {
		organization.Annotations = map[string]string{}
	}
	organization.Annotations[annotation] = value
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
