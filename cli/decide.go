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

// decision is what is done with the people whom the guard holds back.
type decision struct {
	annotation string
	question   string
	done       string
}

func approveCommand() *cobra.Command {
	return decideCommand(decision{
		annotation: v1alpha1.ApproveDeprovisionAnnotation,
		question:   "Let exactly this happen at LambdaTest, to %s?",
		done:       "Approved: they are being carried out. Follow with: kubectl lambdatest status",
	}, &cobra.Command{
		Use:   "approve [ORGANIZATION]",
		Short: "Carry out what the guard holds back (deactivations, lower roles, regained access): shows it and asks",
		Example: `  kubectl lambdatest approve default
  # In a pipeline, for the set that was reviewed and no other
  kubectl lambdatest approve default --token 7f3c… --yes`,
	})
}

func rejectCommand() *cobra.Command {
	return decideCommand(decision{
		annotation: v1alpha1.RejectDeprovisionAnnotation,
		question:   "Leave everything at LambdaTest as it is, for %s, and finish deleting the resources?",
		done:       "Rejected: their accounts stay as they are, and Git can declare them again.",
	}, &cobra.Command{
		Use:     "reject [ORGANIZATION]",
		Short:   "Leave the accounts as they are, and finish deleting the resources that the guard holds back: shows them and asks",
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
		if !yes && !confirmed(cmd.InOrStdin(), cmd.OutOrStdout(), fmt.Sprintf(what.question, plural(int(held.Count), "person", "people"))) {
			return errNothingDone
		}
		if err := annotate(cmd.Context(), writer, organization, what.annotation, held.Token); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), what.done)
		return nil
	}
	where.bind(command)
	which.bind(command, &where)
	command.Flags().StringVar(&token, "token", "", "the held set's `token`, as status shows it: refuse when another set is held by now")
	command.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return command
}

// heldSet returns what is held, if it is still the set that the token names.
func heldSet(organization *v1alpha1.LambdaTestOrganization, token string) (*v1alpha1.HeldSet, error) {
	guard := organization.Status.Guard
	if guard == nil || guard.Held == nil {
		return nil, fmt.Errorf("nobody is held back in organization %s", organization.Name)
	}
	if token != "" && token != guard.Held.Token {
		return nil, fmt.Errorf("another set is held by now, its token is %s: look at it again", guard.Held.Token)
	}
	return guard.Held, nil
}

// showHeld lists what would happen, and to whom, where the resource can still be read.
func showHeld(ctx context.Context, out io.Writer, reader client.Reader, organization *v1alpha1.LambdaTestOrganization, held *v1alpha1.HeldSet) error {
	rows := make([][]string, 0, len(held.People))
	for _, entry := range held.People {
		row, err := heldRow(ctx, reader, organization.Namespace, entry)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	fmt.Fprintf(out, "Held back in organization %s (token %s):\n\n", organization.Name, held.Token)
	if err := printTable(out, []string{"RESOURCE", "USERNAME", "ROLE NOW", "WOULD"}, rows); err != nil {
		return err
	}
	if more := int(held.Count) - len(held.People); more > 0 {
		fmt.Fprintf(out, "… and %d more\n", more)
	}
	fmt.Fprintln(out)
	return nil
}

// heldRow explains one entry of a held set: the name of a resource, and what would happen unless that is the loss of access.
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

// confirmed asks for a "yes"; anything else, and the end of input, is a no.
func confirmed(in io.Reader, out io.Writer, question string) bool {
	fmt.Fprintf(out, "%s Type yes: ", question)
	answer, _ := bufio.NewReader(in).ReadString('\n')
	return strings.TrimSpace(answer) == "yes"
}
