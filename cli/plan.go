// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
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

// plan is the output of the command of that name.
type plan struct {
	// Changes are the people for whom something would be done, sorted by userName.
	Changes []planned `json:"changes"`
	// Unchanged is the number of the other people.
	Unchanged int `json:"unchanged"`
	// Admins are those of the people who would become Admin.
	Admins []string `json:"becomeAdmin,omitempty"`
	// StillDenied are people of the manifests who stay denied, because another resource denies them.
	StillDenied []stillDenied `json:"stayDenied,omitempty"`
	// Guard says what the guard would do; absent if nothing in the plan concerns it.
	Guard *guardForecast `json:"guard,omitempty"`
	// Refused are manifests that the API server would refuse. The rest of the plan is without them.
	Refused []refusedManifest `json:"refused,omitempty"`
	// Unchecked says why the API server was not asked.
	Unchecked string `json:"unchecked,omitempty"`
}

// planned is one line of a plan.
type planned struct {
	UserName string                   `json:"userName"`
	Action   person.Action            `json:"action"`
	Changes  []v1alpha1.PlannedChange `json:"changes,omitempty"`
	// Because names the resource that decides: the claim that denies, the claim or group that gives the role, or else the first claim.
	Because string `json:"because,omitempty"`
	// Guarded says that a deletion of users causes this, so that the guard may hold it.
	Guarded bool `json:"guarded,omitempty"`
}

// stillDenied is a person of a manifest that does not deny them, and the resource that does.
type stillDenied struct {
	UserName string `json:"userName"`
	Resource string `json:"resource"`
	DeniedBy string `json:"deniedBy"`
}

// guardForecast says how many of those who would lose access or a role, or get access back, because of deletions, the guard would hold.
type guardForecast struct {
	Affected int `json:"affected"`
	// Left is how many more people may go in this hour.
	Left int `json:"left"`
	Held int `json:"held"`
}

// refusedManifest is a manifest that the API server would refuse.
type refusedManifest struct {
	Resource string `json:"resource"`
	Message  string `json:"message"`
}

func planCommand() *cobra.Command {
	options := &planOptions{which: choice{fallback: defaultOrganization}}
	command := &cobra.Command{
		Use:   "plan",
		Short: "Show what would change at LambdaTest, for the current resources or with manifests; who becomes Admin, and what the guard would hold",
		Long: `Show what would change at LambdaTest, without changing anything: who becomes Admin, who stays denied because of another resource, how many people
the guard would hold, and which manifests the API server would refuse.

The command reads the accounts from LambdaTest with the organization's token, so it needs the right to read that Secret. It writes
nothing. With -f it plans as if the manifests were applied, and asks the API server whether it would take those that differ from the cluster (a
dry run, which needs the right to create and update them); with --prune also as if declared people who are not in the manifests were deleted.

Exit codes: 1 if the API server would refuse a manifest, or the command failed; with --exit-code 2 if anything would change.`,
		Example: `  # What the operator still has to do
  kubectl lambdatest plan
  # What a merge request would change
  kubectl lambdatest plan -f people/ --prune --exit-code
  # The same for manifests that are made on the way
  kustomize build people/ | kubectl lambdatest plan -f -`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return options.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	options.where.bind(command)
	options.which.bind(command, &options.where)
	options.upstream.bind(command)
	options.form.bind(command)
	flags := command.Flags()
	flags.StringSliceVarP(&options.files, "filename", "f", nil, "`file` or folder with manifests to plan with, or - for standard input; may be repeated")
	flags.BoolVar(&options.prune, "prune", false, "with -f: treat declared people who are not in the manifests as deleted")
	flags.BoolVar(&options.exitCode, "exit-code", false, "exit with code 2 if anything would change")
	return command
}

func (o *planOptions) run(ctx context.Context, in io.Reader, out, questions io.Writer) error {
	if o.prune && len(o.files) == 0 {
		return errors.New("--prune needs --filename: it treats declared people who are not in the manifests as deleted")
	}
	writer, err := o.where.connect()
	if err != nil {
		return err
	}
	organization, err := o.which.find(ctx, writer, o.where.namespace)
	if err != nil {
		return err
	}
	made := &plan{}
	resources, err := o.resources(ctx, in, writer, organization, made)
	if err != nil {
		return err
	}
	upstream, err := o.upstream.connect(ctx, in, questions, writer, organization)
	if err != nil {
		return err
	}
	accounts, err := listAccounts(ctx, upstream)
	if err != nil {
		return err
	}
	made.fill(organization, resources, accounts)
	err = o.form.print(out, made, made.table)
	switch {
	case err != nil:
		return err
	case len(made.Refused) > 0:
		return fmt.Errorf("the API server would refuse %s", plural(len(made.Refused), "manifest", "manifests"))
	case o.exitCode && len(made.Changes) > 0:
		return ErrDifferences
	}
	return nil
}

// plannedResources are the users and groups of the cluster as they would be after the manifests were applied.
type plannedResources struct {
	users  []*v1alpha1.LambdaTestUser
	groups []*v1alpha1.LambdaTestGroup
	// manifests are the names of the users that have a manifest, and deletedGroups those of the groups that would be deleted.
	manifests, deletedGroups map[string]bool
}

// resources reads the cluster and the manifests. Nothing is written: manifests that differ are sent to the API server for a dry run.
func (o *planOptions) resources(
	ctx context.Context, in io.Reader, writer client.Client, organization *v1alpha1.LambdaTestOrganization, made *plan,
) (plannedResources, error) {
	users, groups := &v1alpha1.LambdaTestUserList{}, &v1alpha1.LambdaTestGroupList{}
	for _, list := range []client.ObjectList{users, groups} {
		err := writer.List(ctx, list, client.InNamespace(o.where.namespace), client.MatchingFields{"spec.organizationRef.name": organization.Name})
		if err != nil {
			return plannedResources{}, fmt.Errorf("listing resources: %w", err)
		}
	}
	declared, err := readManifests(o.files, in, o.where.namespace, organization.Name)
	if err != nil {
		return plannedResources{}, err
	}
	check := &dryRun{writer: writer, plan: made}
	storedUsers, storedGroups := pointers(users.Items), pointers(groups.Items)
	checkManifests(ctx, check, storedUsers, declared.users, userEdits)
	checkManifests(ctx, check, storedGroups, declared.groups, groupEdits)
	if check.err != nil {
		return plannedResources{}, check.err
	}
	found := plannedResources{manifests: map[string]bool{}, deletedGroups: map[string]bool{}}
	for name := range declared.users {
		found.manifests[name] = true
	}
	found.users = overlay(storedUsers, declared.users, o.prune, userEdits)
	found.groups = overlay(storedGroups, declared.groups, o.prune, groupEdits)
	for _, group := range found.groups {
		found.deletedGroups[v1alpha1.GroupKind+"/"+group.Name] = !group.DeletionTimestamp.IsZero()
	}
	return found, nil
}

// fill works out what would be done with those resources and accounts.
func (p *plan) fill(organization *v1alpha1.LambdaTestOrganization, resources plannedResources, accounts []lambdatest.User) {
	previews := person.PreviewPeople(organization, resources.users, resources.groups, accounts)
	p.Changes, p.Unchanged = linesOf(previews)
	before := map[string]string{} // who decided each role until now
	for _, preview := range previews {
		for _, claim := range preview.Claims {
			if claim.Status.Effective != nil {
				before[preview.UserName] = claim.Status.Effective.RoleFrom
			}
		}
		if denial := stillDeniedBy(preview, resources.manifests); denial != nil {
			p.StillDenied = append(p.StillDenied, *denial)
		}
	}
	affected := 0
	for _, line := range p.Changes {
		if line.becomesAdmin() {
			p.Admins = append(p.Admins, line.UserName)
		}
		if line.Guarded || line.losesRole() && resources.deletedGroups[before[line.UserName]] {
			affected++
		}
	}
	if affected > 0 {
		left := person.GuardLeft(organization, activeOfPeople(previews, accounts), time.Now())
		p.Guard = &guardForecast{Affected: affected, Left: left, Held: max(affected-left, 0)}
	}
}

// activeOfPeople counts the active accounts about which there is a resource.
func activeOfPeople(previews []person.Preview, accounts []lambdatest.User) int {
	claimed := map[string]bool{}
	for _, preview := range previews {
		claimed[v1alpha1.FoldUserName(preview.UserName)] = true
	}
	count := 0
	for _, account := range accounts {
		if account.Active && claimed[v1alpha1.FoldUserName(account.UserName)] {
			count++
		}
	}
	return count
}

// stillDeniedBy returns the person if a manifest would let them sign in, and a resource without a manifest denies them.
func stillDeniedBy(preview person.Preview, manifests map[string]bool) *stillDenied {
	if len(preview.Living) == 0 || preview.Effective.Active {
		return nil
	}
	for _, claim := range preview.Living {
		if manifests[claim.Name] && !claim.IsDenial() {
			return &stillDenied{UserName: preview.UserName, Resource: v1alpha1.UserKind + "/" + claim.Name, DeniedBy: preview.Effective.ActiveFrom}
		}
	}
	return nil
}

// edits are the parts of overlay that differ between the kinds.
type edits[T client.Object] struct {
	kind string
	// changed is a copy of a stored resource with the spec of its manifest.
	changed func(stored, manifest T) T
	// replace gives a stored resource the spec of its manifest.
	replace func(stored, manifest T)
	// leave sets or removes the finalizer as it should be in the plan for a deleted resource.
	leave func(T)
}

var (
	userEdits = edits[*v1alpha1.LambdaTestUser]{
		kind: v1alpha1.UserKind,
		changed: func(stored, manifest *v1alpha1.LambdaTestUser) *v1alpha1.LambdaTestUser {
			updated := stored.DeepCopy()
			updated.Spec = withDefaults(manifest.Spec)
			return updated
		},
		replace: func(stored, manifest *v1alpha1.LambdaTestUser) { stored.Spec = manifest.Spec },
		leave:   func(user *v1alpha1.LambdaTestUser) { controllerutil.AddFinalizer(user, v1alpha1.Finalizer) },
	}
	groupEdits = edits[*v1alpha1.LambdaTestGroup]{
		kind: v1alpha1.GroupKind,
		changed: func(stored, manifest *v1alpha1.LambdaTestGroup) *v1alpha1.LambdaTestGroup {
			updated := stored.DeepCopy()
			updated.Spec = manifest.Spec
			updated.Spec.DeletionPolicy = cmp.Or(manifest.Spec.DeletionPolicy, v1alpha1.GroupDeletionDelete)
			return updated
		},
		replace: func(stored, manifest *v1alpha1.LambdaTestGroup) { stored.Spec = manifest.Spec },
		// A group gives roles until its finalizer is removed; the plan shows the state after that.
		leave: func(group *v1alpha1.LambdaTestGroup) { controllerutil.RemoveFinalizer(group, v1alpha1.Finalizer) },
	}
)

// withDefaults fills in what the API server would.
func withDefaults(spec v1alpha1.LambdaTestUserSpec) v1alpha1.LambdaTestUserSpec {
	spec.ManagementPolicy = cmp.Or(spec.ManagementPolicy, v1alpha1.ManagementFull)
	spec.DeletionPolicy = cmp.Or(spec.DeletionPolicy, v1alpha1.DeletionDeactivate)
	return spec
}

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
		line := planned{UserName: preview.UserName, Action: preview.Action, Changes: slices.Clone(preview.Changes), Guarded: preview.Guarded}
		if preview.Action == person.ActionCreate {
			line.Changes = append(line.Changes, withRoleAndGroup(preview.Effective)...)
		}
		line.Because = line.becauseOf(preview)
		lines = append(lines, line)
	}
	slices.SortFunc(lines, func(a, b planned) int { return strings.Compare(a.UserName, b.UserName) })
	return lines, unchanged
}

// withRoleAndGroup is what a new account gets. Without a role, LambdaTest gives User.
func withRoleAndGroup(effective v1alpha1.EffectiveState) []v1alpha1.PlannedChange {
	changes := []v1alpha1.PlannedChange{{Attribute: "role", To: string(cmp.Or(effective.Role, v1alpha1.RoleUser))}}
	if effective.ConcurrencyGroup != "" {
		changes = append(changes, v1alpha1.PlannedChange{Attribute: "concurrencyGroup", To: effective.ConcurrencyGroup})
	}
	return changes
}

// becauseOf names the resource that decides what is in the line.
func (p *planned) becauseOf(preview person.Preview) string {
	switch {
	case p.change("active").To == "false" && preview.Effective.ActiveFrom != "":
		return preview.Effective.ActiveFrom
	case p.change("role") != v1alpha1.PlannedChange{} && preview.Effective.RoleFrom != "":
		return preview.Effective.RoleFrom
	case p.change("concurrencyGroup") != v1alpha1.PlannedChange{} && preview.Effective.ConcurrencyGroupFrom != "":
		return preview.Effective.ConcurrencyGroupFrom
	case len(preview.Living) > 0:
		return v1alpha1.UserKind + "/" + preview.Living[0].Name
	}
	return v1alpha1.UserKind + "/" + preview.Claims[0].Name + " (deleted)"
}

// change is that of an attribute; zero if it does not change.
func (p *planned) change(attribute string) v1alpha1.PlannedChange {
	for _, change := range p.Changes {
		if change.Attribute == attribute {
			return change
		}
	}
	return v1alpha1.PlannedChange{}
}

func (p *planned) becomesAdmin() bool {
	return p.change("role").To == string(v1alpha1.RoleAdmin) && p.change("active").To != "false"
}

func (p *planned) losesRole() bool {
	role := p.change("role")
	return role.To != "" && v1alpha1.Role(role.To).Rank() < v1alpha1.Role(role.From).Rank()
}

func (p *plan) table(out io.Writer) error {
	rows := make([][]string, 0, len(p.Changes))
	counts := map[person.Action]int{}
	for _, line := range p.Changes {
		counts[line.Action]++
		rows = append(rows, []string{line.UserName, string(line.Action), changesText(line.Changes), line.Because})
	}
	if err := printTable(out, []string{"USERNAME", "ACTION", "CHANGES", "BECAUSE OF"}, rows); err != nil {
		return err
	}
	if len(p.Changes) > 0 {
		printf(out, "\n")
	}
	printf(out, "Plan: %d to create, %d to update, %d to deactivate; %d unchanged.\n",
		counts[person.ActionCreate], counts[person.ActionUpdate], counts[person.ActionDeactivate], p.Unchanged)
	if len(p.Admins) > 0 {
		printf(out, "Becomes Admin: %s.\n", firstOf(p.Admins, mostNamed))
	}
	for _, each := range p.StillDenied {
		printf(out, "Stays denied: %s. %s lets the person sign in, and %s denies the person; a denial wins.\n", each.UserName, each.Resource, each.DeniedBy)
	}
	if p.Guard != nil {
		printf(out, "Guard: deletions affect %s; %d may go in this hour, so the guard would hold %d.\n",
			plural(p.Guard.Affected, "person", "people"), p.Guard.Left, p.Guard.Held)
	}
	if p.Unchecked != "" {
		printf(out, "%s\n", p.Unchecked)
	}
	if len(p.Refused) == 0 {
		return nil
	}
	printf(out, "\nThe API server would refuse these; the plan is without them:\n")
	refused := sheet{header: []string{"RESOURCE", "MESSAGE"}}
	for _, each := range p.Refused {
		refused.rows = append(refused.rows, []string{each.Resource, each.Message})
	}
	return refused.print(out)
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
