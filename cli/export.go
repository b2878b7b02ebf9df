// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// exportOptions are the flags of export.
type exportOptions struct {
	where          cluster
	which          choice
	upstream       upstream
	form           output
	fromLambdaTest bool
	folder         string
}

// exported is one manifest.
type exported struct {
	name     string
	manifest map[string]any
}

func exportCommand() *cobra.Command {
	options := &exportOptions{which: choice{fallback: defaultOrganization}}
	command := &cobra.Command{
		Use:   "export [USER…]",
		Short: "Write manifests for people, ready to commit",
		Long: `Write manifests for people, ready to commit: named after the userName, without status and without labels of the operator. When you
apply such a manifest, it is a second claim beside the resource that it was made from.

USER is the name of a LambdaTestUser, or a userName. Without USER, the command writes all people of the organization, one manifest per
person: from the resources in the cluster, or with --from-lambdatest from the accounts at LambdaTest.`,
		Example: `  # Put one person whom the identity provider created into Git
  kubectl lambdatest export scim-3irzrh5ttlhbmhlcpqesbkw5oe > people/ada.yaml
  # Declare a person whose account was imported
  kubectl lambdatest export import-3irzrh5ttlhbmhlcpqesbkw5oe | kubectl apply --server-side -f -
  # Move a whole LambdaTest organization into Git
  kubectl lambdatest export --from-lambdatest --folder people/`,
		RunE: func(cmd *cobra.Command, users []string) error {
			return options.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr(), users)
		},
	}
	options.where.bind(command)
	options.which.bind(command, &options.where)
	options.upstream.bind(command)
	options.form.bind(command)
	command.ValidArgsFunction = cobra.NoFileCompletions // the arguments are people
	flags := command.Flags()
	flags.BoolVar(&options.fromLambdaTest, "from-lambdatest", false, "read the accounts at LambdaTest instead of the cluster; needs the right to read the Secret with the organization's token")
	flags.StringVarP(&options.folder, "folder", "d", "", "write one YAML file per person into this `folder`; default: write everything to standard output")
	return command
}

func (o *exportOptions) run(ctx context.Context, in io.Reader, out, progress io.Writer, users []string) error {
	if o.folder != "" && o.form == "json" {
		return errors.New("--folder writes YAML: remove --output")
	}
	reader, err := o.where.connect()
	if err != nil {
		return err
	}
	manifests, err := o.collect(ctx, in, progress, reader, users)
	if err != nil {
		return err
	}
	if err := distinct(manifests); err != nil {
		return err
	}
	if o.folder == "" {
		return o.form.print(out, listOf(manifests), func(out io.Writer) error { return writeStream(out, manifests) })
	}
	if err := writeFolder(o.folder, manifests); err != nil {
		return err
	}
	printf(progress, "wrote %s into %s\n", plural(len(manifests), "person", "people"), o.folder)
	return nil
}

func (o *exportOptions) collect(ctx context.Context, in io.Reader, questions io.Writer, reader client.Reader, users []string) ([]exported, error) {
	switch {
	case o.fromLambdaTest && len(users) > 0:
		return nil, errors.New("--from-lambdatest writes all people: remove the USER arguments, or remove --from-lambdatest")
	case len(users) > 0:
		return o.fromNamed(ctx, reader, users)
	}
	organization, err := o.which.find(ctx, reader, o.where.namespace)
	if err != nil {
		return nil, err
	}
	if o.fromLambdaTest {
		upstream, err := o.upstream.connect(ctx, in, questions, reader, organization)
		if err != nil {
			return nil, err
		}
		return fromAccounts(ctx, upstream, organization.Name)
	}
	claims, err := usersOf(ctx, reader, o.where.namespace, client.MatchingFields{"spec.organizationRef.name": organization.Name})
	return fromResources(claims), err
}

func fromAccounts(ctx context.Context, upstream lister, organization string) ([]exported, error) {
	accounts, err := listAccounts(ctx, upstream)
	if err != nil {
		return nil, err
	}
	manifests := make([]exported, 0, len(accounts))
	for _, account := range accounts {
		manifests = append(manifests, manifestOf(organization, specOfAccount(account)))
	}
	return ordered(manifests), nil
}

func usersOf(ctx context.Context, reader client.Reader, namespace string, selected ...client.ListOption) ([]*v1alpha1.LambdaTestUser, error) {
	list := &v1alpha1.LambdaTestUserList{}
	if err := reader.List(ctx, list, append(selected, client.InNamespace(namespace))...); err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	return pointers(list.Items), nil
}

// fromNamed exports the named people of all organizations in the namespace, or of the one that --organization names.
func (o *exportOptions) fromNamed(ctx context.Context, reader client.Reader, users []string) ([]exported, error) {
	if o.which.name != "" {
		if _, err := o.which.find(ctx, reader, o.where.namespace); err != nil {
			return nil, err
		}
	}
	claims, err := usersOf(ctx, reader, o.where.namespace)
	if err != nil {
		return nil, err
	}
	var named []*v1alpha1.LambdaTestUser
	for _, user := range users {
		found := o.matching(claims, user)
		if len(found) == 0 {
			return nil, fmt.Errorf("there is no LambdaTestUser %s%s in namespace %s", user, o.ofOrganization(), o.where.namespace)
		}
		named = append(named, found...)
	}
	return fromResources(named), nil
}

// matching returns the claims with that resource name or userName. A resource's name contains no @, so the two cannot be confused.
func (o *exportOptions) matching(claims []*v1alpha1.LambdaTestUser, user string) []*v1alpha1.LambdaTestUser {
	var found []*v1alpha1.LambdaTestUser
	for _, claim := range claims {
		sameOrganization := o.which.name == "" || claim.Spec.OrganizationRef.Name == o.which.name
		if sameOrganization && (claim.Name == user || v1alpha1.FoldUserName(claim.Spec.UserName) == v1alpha1.FoldUserName(user)) {
			found = append(found, claim)
		}
	}
	return found
}

func (o *exportOptions) ofOrganization() string {
	if o.which.name == "" {
		return ""
	}
	return " of organization " + o.which.name
}

// fromResources makes one manifest per person. Of several claims it prefers a declared one.
func fromResources(claims []*v1alpha1.LambdaTestUser) []exported {
	byPerson := map[string]exported{}
	for _, claim := range claims {
		organization := claim.Spec.OrganizationRef.Name
		manifest := manifestOf(organization, specOfResource(claim))
		key := v1alpha1.PersonDigest(organization, claim.Spec.UserName)
		if _, there := byPerson[key]; !there || v1alpha1.IsDeclared(claim) {
			byPerson[key] = manifest
		}
	}
	return ordered(slices.Collect(maps.Values(byPerson)))
}

// specOfResource is the spec of a new claim that says the same as user. An imported resource only observes, so the spec then describes
// its account: applying the manifest must not change the account.
func specOfResource(user *v1alpha1.LambdaTestUser) v1alpha1.LambdaTestUserSpec {
	spec := v1alpha1.LambdaTestUserSpec{
		UserName:         user.Spec.UserName,
		Name:             user.Spec.Name,
		Role:             user.Spec.Role,
		ConcurrencyGroup: user.Spec.ConcurrencyGroup,
		DisplayName:      user.Spec.DisplayName,
	}
	if user.IsDenial() {
		spec.Active = new(false)
	}
	if v1alpha1.IsImported(user) && user.Status.Account != nil {
		account := user.Status.Account
		spec.Role, spec.ConcurrencyGroup = declarableRole(account.Role), account.ConcurrencyGroup
		if !account.Active {
			spec.Active = new(false)
		}
	}
	return named(spec)
}

// declarableRole returns "" for a role that no resource can have, such as a custom role: without a role, the account keeps its own.
func declarableRole(role string) v1alpha1.Role {
	switch known := v1alpha1.Role(role); known {
	case v1alpha1.RoleAdmin, v1alpha1.RoleUser, v1alpha1.RoleGuest:
		return known
	default:
		return ""
	}
}

// named fills in the name, which the API requires. It is only used for a new account, so it does not change this one.
func named(spec v1alpha1.LambdaTestUserSpec) v1alpha1.LambdaTestUserSpec {
	spec.Name.GivenName = cmp.Or(spec.Name.GivenName, spec.UserName)
	spec.Name.FamilyName = cmp.Or(spec.Name.FamilyName, spec.UserName)
	return spec
}

func specOfAccount(account lambdatest.User) v1alpha1.LambdaTestUserSpec {
	spec := v1alpha1.LambdaTestUserSpec{
		UserName:         account.UserName,
		Name:             v1alpha1.PersonName{GivenName: account.GivenName, FamilyName: account.FamilyName},
		Role:             declarableRole(account.Role),
		ConcurrencyGroup: account.ConcurrencyGroup,
	}
	if !account.Active {
		spec.Active = new(false)
	}
	return named(spec)
}

// manifestOf is the manifest as a person would write it, without defaults.
func manifestOf(organization string, spec v1alpha1.LambdaTestUserSpec) exported {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&spec)
	if err != nil {
		panic(fmt.Errorf("converting a spec: %w", err)) // a type that is no JSON object: a bug in this program
	}
	if organization != defaultOrganization {
		content["organizationRef"] = map[string]any{"name": organization}
	}
	name := resourceName(organization, spec.UserName)
	return exported{name: name, manifest: map[string]any{
		"apiVersion": v1alpha1.SchemeGroupVersion.String(),
		"kind":       v1alpha1.UserKind,
		"metadata":   map[string]any{"name": name},
		"spec":       content,
	}}
}

var (
	// plainUserName matches an address whose characters, apart from the @, are all allowed in a resource name.
	plainUserName = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*@[a-z0-9]+([.-][a-z0-9]+)*$`)
	// notInNames matches the characters that are replaced in other addresses.
	notInNames = regexp.MustCompile(`[^a-z0-9]+`)
)

// digestedPrefix begins the names that end in a digest.
const digestedPrefix = "user-"

// resourceName makes a resource name from a userName: ada@example.com becomes ada-at-example.com. If characters are lost, or the name
// has a prefix of the operator, it begins with "user-" and ends with the person's digest. No other address gets a name of this form.
func resourceName(organization, userName string) string {
	const maxLength = 200
	folded := v1alpha1.FoldUserName(userName)
	reserved := slices.ContainsFunc([]string{v1alpha1.SCIMNamePrefix, v1alpha1.ImportNamePrefix, digestedPrefix},
		func(prefix string) bool { return strings.HasPrefix(folded, prefix) })
	if plainUserName.MatchString(folded) && !strings.Contains(folded, "-at-") && !reserved && len(folded) <= maxLength {
		return strings.Replace(folded, "@", "-at-", 1)
	}
	readable := strings.Trim(notInNames.ReplaceAllString(folded, "-"), "-")
	readable = strings.Trim(readable[:min(len(readable), maxLength)], "-")
	if readable != "" {
		readable += "-"
	}
	return digestedPrefix + readable + v1alpha1.PersonDigest(organization, userName)
}

func ordered(manifests []exported) []exported {
	slices.SortFunc(manifests, func(a, b exported) int { return strings.Compare(a.name, b.name) })
	return manifests
}

// listOf puts all manifests into one document, which kubectl can apply.
func listOf(manifests []exported) map[string]any {
	items := make([]any, 0, len(manifests))
	for _, each := range manifests {
		items = append(items, each.manifest)
	}
	return map[string]any{"apiVersion": "v1", "kind": "List", "items": items}
}

// distinct refuses two people of the same name, one of whom would overwrite the other: the same address in two organizations.
func distinct(manifests []exported) error {
	seen := map[string]bool{}
	for _, each := range manifests {
		if seen[each.name] {
			return fmt.Errorf("two people would be called %s: name one organization with --organization", each.name)
		}
		seen[each.name] = true
	}
	return nil
}

func writeStream(out io.Writer, manifests []exported) error {
	for i, each := range manifests {
		encoded, err := yamlOf(each.manifest)
		if err != nil {
			return err
		}
		if i > 0 {
			encoded = append([]byte("---\n"), encoded...)
		}
		if _, err := out.Write(encoded); err != nil {
			return err
		}
	}
	return nil
}

// writeFolder writes each manifest into a file of its own. It follows no link: in somebody's repository, a link with the name of a manifest
// would let the content, which has names of that somebody's choice, replace any file of the user.
func writeFolder(folder string, manifests []exported) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // manifests may be read by all users
		return fmt.Errorf("creating the folder: %w", err)
	}
	for _, each := range manifests {
		encoded, err := yamlOf(each.manifest)
		if err != nil {
			return err
		}
		if err := replaceFile(filepath.Join(folder, each.name+".yaml"), encoded); err != nil {
			return fmt.Errorf("writing a manifest: %w", err)
		}
	}
	return nil
}

// replaceFile writes a file, or replaces one that is there. It refuses to write through anything else of that name.
func replaceFile(path string, content []byte) error {
	info, err := os.Lstat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", path)
	case err == nil:
		err = os.Remove(path)
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // manifests may be read by all users
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}
