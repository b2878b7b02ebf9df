// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// defaultOrganization is the organization of a resource without organizationRef.
const defaultOrganization = "default"

// choice is the organization that a command is about. Every command takes it in the same way: as an argument or with --organization.
// Without either, it is the only organization of the namespace.
type choice struct {
	name string
	// fallback is used when there are several and none is named. Only commands that change nothing have one.
	fallback string
}

func (c *choice) bind(command *cobra.Command, where *cluster) {
	usage := "`name` of the LambdaTestOrganization; default: the only one in the namespace"
	if c.fallback != "" {
		usage += ", or " + c.fallback
	}
	command.Flags().StringVar(&c.name, "organization", "", usage)
	complete := func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return organizationNames(cmd.Context(), where), cobra.ShellCompDirectiveNoFileComp
	}
	_ = command.RegisterFlagCompletionFunc("organization", complete)
	command.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 || c.name != "" {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, typed)
	}
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
func (c *choice) find(ctx context.Context, reader client.Reader, namespace string, args []string) (*v1alpha1.LambdaTestOrganization, error) {
	name, err := c.named(args)
	if err != nil {
		return nil, err
	}
	if name != "" {
		return findOrganization(ctx, reader, namespace, name)
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
		return nil, fmt.Errorf("there is no LambdaTestOrganization in namespace %s: name another namespace with -n", namespace)
	}
	return nil, fmt.Errorf("namespace %s has %d organizations: %s; name one as an argument or with --organization",
		namespace, len(organizations), strings.Join(namesOf(organizations), ", "))
}

// named returns the name that was given, or "".
func (c *choice) named(args []string) (string, error) {
	if len(args) == 0 {
		return c.name, nil
	}
	if c.name != "" && c.name != args[0] {
		return "", fmt.Errorf("two organizations are named: %s as an argument, %s with --organization", args[0], c.name)
	}
	return args[0], nil
}

func findOrganization(ctx context.Context, reader client.Reader, namespace, name string) (*v1alpha1.LambdaTestOrganization, error) {
	organization := &v1alpha1.LambdaTestOrganization{}
	if err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, organization); err != nil {
		return nil, fmt.Errorf("finding organization %s in namespace %s: %w", name, namespace, err)
	}
	return organization, nil
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
