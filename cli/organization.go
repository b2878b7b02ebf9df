// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// defaultOrganization is the organization of a resource without organizationRef.
const defaultOrganization = "default"

// choice is the organization that a command is about. Every command takes it in the same way, with --organization. Without it, it is the only
// organization of the namespace.
type choice struct {
	name string
	// fallback is used when there are several and none is named. Only commands that change nothing have one.
	fallback string
	// all says that the command shows all organizations of the namespace when none is named.
	all bool
}

func (c *choice) bind(command *cobra.Command, where *cluster) {
	usage := "`name` of the LambdaTestOrganization; default: "
	switch {
	case c.all:
		usage += "all in the namespace"
	case c.fallback != "":
		usage += "the only one in the namespace, or " + c.fallback
	default:
		usage += "the only one in the namespace"
	}
	command.Flags().StringVar(&c.name, "organization", "", usage)
	_ = command.RegisterFlagCompletionFunc("organization", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return organizationNames(cmd.Context(), where), cobra.ShellCompDirectiveNoFileComp
	})
	if command.ValidArgsFunction == nil {
		command.ValidArgsFunction = cobra.NoFileCompletions
	}
}

// noArguments refuses arguments: an organization is named with --organization.
func noArguments(command *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments; to name an organization: --organization %s", command.Name(), args[0])
	}
	return nil
}

// organizationNames are the completions for a shell; none if the cluster cannot be reached.
func organizationNames(ctx context.Context, where *cluster) []string {
	reader, err := where.connect()
	if err != nil {
		return nil
	}
	organizations, err := listOrganizations(ctx, reader, where.namespace)
	if err != nil {
		return nil
	}
	return namesOf(organizations)
}

// find returns the organization that the command is about.
func (c *choice) find(ctx context.Context, reader client.Reader, namespace string) (*v1alpha1.LambdaTestOrganization, error) {
	if c.name != "" {
		return findOrganization(ctx, reader, namespace, c.name)
	}
	organizations, err := listOrganizations(ctx, reader, namespace)
	if err != nil {
		return nil, err
	}
	for i := range organizations {
		if len(organizations) == 1 || organizations[i].Name == c.fallback {
			return &organizations[i], nil
		}
	}
	if len(organizations) == 0 {
		return nil, noOrganization(namespace)
	}
	return nil, fmt.Errorf("namespace %s has %d organizations: %s; name one with --organization",
		namespace, len(organizations), strings.Join(namesOf(organizations), ", "))
}

// findOrganization needs no more than the right to get that organization.
func findOrganization(ctx context.Context, reader client.Reader, namespace, name string) (*v1alpha1.LambdaTestOrganization, error) {
	organization := &v1alpha1.LambdaTestOrganization{}
	err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, organization)
	if apierrors.IsNotFound(err) {
		there, _ := listOrganizations(ctx, reader, namespace)
		return nil, unknownOrganization(name, namespace, there)
	}
	if err != nil {
		return nil, fmt.Errorf("reading organization %s in namespace %s: %w", name, namespace, err)
	}
	return organization, nil
}

func noOrganization(namespace string) error {
	return fmt.Errorf("there is no LambdaTestOrganization in namespace %s: name another namespace with -n", namespace)
}

// unknownOrganization says what there is instead.
func unknownOrganization(name, namespace string, there []v1alpha1.LambdaTestOrganization) error {
	if len(there) == 0 {
		return fmt.Errorf("there is no LambdaTestOrganization %s in namespace %s, and no other one: name another namespace with -n", name, namespace)
	}
	return fmt.Errorf("there is no LambdaTestOrganization %s in namespace %s; there is: %s", name, namespace, strings.Join(namesOf(there), ", "))
}

func listOrganizations(ctx context.Context, reader client.Reader, namespace string) ([]v1alpha1.LambdaTestOrganization, error) {
	list := &v1alpha1.LambdaTestOrganizationList{}
	if err := reader.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing organizations: %w", err)
	}
	return list.Items, nil
}

func namesOf(organizations []v1alpha1.LambdaTestOrganization) []string {
	names := make([]string, 0, len(organizations))
	for i := range organizations {
		names = append(names, organizations[i].Name)
	}
	slices.Sort(names)
	return names
}
