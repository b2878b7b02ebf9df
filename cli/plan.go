// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/person"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// planOptions are the flags of plan.
type planOptions struct {
	where    cluster
	which    choice
	upstream upstream
	form     output
	files    []string
	prune    bool
	exitCode bool
}

// planned is one line of a plan.
type planned struct {
	UserName string                   `json:"userName"`
	Action   person.Action            `json:"action"`
	Changes  []v1alpha1.PlannedChange `json:"changes,omitempty"`
	// Because names the resource that decides: the claim that denies, or the claim or group that gives the role.
	Because string `json:"because,omitempty"`
}

func planCommand() *cobra.Command {
	options := &planOptions{which: choice{fallback: defaultOrganization}}
	command := &cobra.Command{
		Use:   "plan [ORGANIZATION]",
		Short: "Show what would change at LambdaTest, for the current resources or with a folder of manifests",
		Long: `Show what would change at LambdaTest, without changing anything.

The command reads the accounts from LambdaTest with the organization's token, so it needs the right to read that Secret. It writes
nothing. With -f it plans as if the manifests were applied; with --prune also as if declared people who are not in the manifests were
deleted. The deprovision guard may hold some of the changes.`,
		Example: `  # What the operator still has to do
  kubectl lambdatest plan
  # What a merge request would change
  kubectl lambdatest plan -f people/ --prune --exit-code`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return options.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr(), args)
		},
	}
	options.where.bind(command)
	options.which.bind(command, &options.where)
	options.upstream.bind(command)
	options.form.bind(command)
	flags := command.Flags()
	flags.StringSliceVarP(&options.files, "filename", "f", nil, "`file` or folder with manifests to plan with; may be repeated")
	flags.BoolVar(&options.prune, "prune", false, "with -f: treat declared people who are not in the manifests as deleted")
	flags.BoolVar(&options.exitCode, "exit-code", false, "exit with code 2 if anything would change")
	return command
}

func (o *planOptions) run(ctx context.Context, in io.Reader, out, questions io.Writer, args []string) error {
	if o.prune && len(o.files) == 0 {
		return errors.New("--prune needs --filename: it treats declared people who are not in the manifests as deleted")
	}
	reader, err := o.where.connect()
	if err != nil {
		return err
	}
	organization, err := o.which.find(ctx, reader, o.where.namespace, args)
	if err != nil {
		return err
	}
	claims, groups, err := o.resources(ctx, reader, organization.Name)
	if err != nil {
		return err
	}
	upstream, err := o.upstream.connect(ctx, in, questions, reader, organization)
	if err != nil {
		return err
	}
	accounts, err := listAccounts(ctx, upstream)
	if err != nil {
		return err
	}
	lines, unchanged := linesOf(person.PreviewPeople(organization, claims, groups, accounts))
	err = o.form.print(out, lines, func(out io.Writer) error { return planTable(out, lines, unchanged) })
	if err == nil && o.exitCode && len(lines) > 0 {
		return ErrDifferences
	}
	return err
}

// resources are the users and groups of the cluster as they would be after the manifests were applied. Nothing is written.
func (o *planOptions) resources(ctx context.Context, reader client.Reader, organization string) ([]*v1alpha1.LambdaTestUser, []*v1alpha1.LambdaTestGroup, error) {
	users, groups := &v1alpha1.LambdaTestUserList{}, &v1alpha1.LambdaTestGroupList{}
	for _, list := range []client.ObjectList{users, groups} {
		err := reader.List(ctx, list, client.InNamespace(o.where.namespace), client.MatchingFields{"spec.organizationRef.name": organization})
		if err != nil {
			return nil, nil, fmt.Errorf("listing resources: %w", err)
		}
	}
	declared, err := readManifests(o.files, o.where.namespace, organization)
	if err != nil {
		return nil, nil, err
	}
	return overlay(pointers(users.Items), declared.users, o.prune, userEdits), overlay(pointers(groups.Items), declared.groups, o.prune, groupEdits), nil
}

// edits are the parts of overlay that differ between the kinds.
type edits[T client.Object] struct {
	// replace gives a stored resource the spec of its manifest.
	replace func(stored, manifest T)
	// leave sets or removes the finalizer as it should be in the plan for a deleted resource.
	leave func(T)
}

var (
	userEdits = edits[*v1alpha1.LambdaTestUser]{
		replace: func(stored, manifest *v1alpha1.LambdaTestUser) { stored.Spec = manifest.Spec },
		leave:   func(user *v1alpha1.LambdaTestUser) { controllerutil.AddFinalizer(user, v1alpha1.Finalizer) },
	}
	groupEdits = edits[*v1alpha1.LambdaTestGroup]{
		replace: func(stored, manifest *v1alpha1.LambdaTestGroup) { stored.Spec = manifest.Spec },
		// A group gives roles until its finalizer is removed; the plan shows the state after that.
		leave: func(group *v1alpha1.LambdaTestGroup) { controllerutil.RemoveFinalizer(group, v1alpha1.Finalizer) },
	}
)

// overlay applies manifests in memory: a stored resource gets the spec of its manifest, a manifest without a stored resource is added,
// and with prune a declared resource without a manifest is marked as being deleted.
func overlay[T client.Object](stored []T, declared map[string]T, prune bool, edit edits[T]) []T {
	now := metav1.NewTime(time.Now())
	for _, object := range stored {
		manifest, found := declared[object.GetName()]
		switch {
		case found:
			edit.replace(object, manifest)
			delete(declared, object.GetName())
		case prune && v1alpha1.IsDeclared(object) && object.GetDeletionTimestamp().IsZero():
			object.SetDeletionTimestamp(&now)
			edit.leave(object)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		declared[name].SetCreationTimestamp(now)
		stored = append(stored, declared[name])
	}
	return stored
}

func pointers[T any](items []T) []*T {
	all := make([]*T, len(items))
	for i := range items {
		all[i] = &items[i]
	}
	return all
}

// lister is all that this package asks LambdaTest: there is no call here that writes.
type lister interface {
	ListUsers(ctx context.Context, startIndex, count int) (lambdatest.Page[lambdatest.User], error)
}

// listAccounts reads all accounts of the organization. A list that does not show all of them is an error: people who are left out would look as
// if they had no account. A list of one page may count only that page, so the page after it is read, too.
func listAccounts(ctx context.Context, upstream lister) ([]lambdatest.User, error) {
	const page = 100
	accounts, total := map[string]lambdatest.User{}, 0
	for start, more, pages := 1, true, 0; more || pages == 1 && total >= documentedPage; pages++ {
		read, err := upstream.ListUsers(ctx, start, page)
		if lambdatest.IsContradiction(err) {
			return nil, fmt.Errorf("listing the accounts at LambdaTest: %w; to find out more: kubectl lambdatest doctor", err)
		}
		if err != nil {
			return nil, fmt.Errorf("listing the accounts at LambdaTest: %w", err)
		}
		for _, account := range read.Items {
			accounts[account.ID] = account
		}
		total = read.Total
		start, more = read.Next()
	}
	if len(accounts) != total {
		return nil, fmt.Errorf("listing the accounts at LambdaTest: the list counts %d and shows %d; to find out more: kubectl lambdatest doctor", total, len(accounts))
	}
	return slices.Collect(maps.Values(accounts)), nil
}

// linesOf returns the people for whom something would change, sorted by userName, and the number of the others.
func linesOf(previews []person.Preview) (lines []planned, unchanged int) {
	lines = []planned{}
	for _, preview := range previews {
		if preview.Action == person.ActionNone {
			unchanged++
			continue
		}
		because := preview.Effective.ActiveFrom
		if because == "" {
			because = preview.Effective.RoleFrom
		}
		lines = append(lines, planned{UserName: preview.UserName, Action: preview.Action, Changes: preview.Changes, Because: because})
	}
	slices.SortFunc(lines, func(a, b planned) int { return strings.Compare(a.UserName, b.UserName) })
	return lines, unchanged
}

func planTable(out io.Writer, lines []planned, unchanged int) error {
	rows := make([][]string, 0, len(lines))
	counts := map[person.Action]int{}
	for _, line := range lines {
		counts[line.Action]++
		rows = append(rows, []string{line.UserName, string(line.Action), changesText(line.Changes), line.Because})
	}
	if err := printTable(out, []string{"USERNAME", "ACTION", "CHANGES", "BECAUSE OF"}, rows); err != nil {
		return err
	}
	if len(lines) > 0 {
		printf(out, "\n")
	}
	printf(out, "Plan: %d to create, %d to update, %d to deactivate; %d unchanged.\n",
		counts[person.ActionCreate], counts[person.ActionUpdate], counts[person.ActionDeactivate], unchanged)
	return nil
}

func changesText(changes []v1alpha1.PlannedChange) string {
	texts := make([]string, 0, len(changes))
	for _, change := range changes {
		if change.From == "" {
			texts = append(texts, change.Attribute+": "+change.To)
			continue
		}
		texts = append(texts, change.Attribute+": "+change.From+" → "+change.To)
	}
	return strings.Join(texts, ", ")
}
