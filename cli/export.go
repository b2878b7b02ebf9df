// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// defaultOrganization is the organization that a resource names by naming none.
const defaultOrganization = "default"

// exportOptions are the flags of export.
type exportOptions struct {
	where          cluster
	organization   string
	fromLambdaTest bool
	folder         string
}

// exported is one manifest.
type exported struct {
	name     string
	manifest map[string]any
}

func exportCommand() *cobra.Command {
	options := &exportOptions{}
	command := &cobra.Command{
		Use:   "export [USER…]",
		Short: "Write people as clean manifests, ready to commit",
		Long: `Write people as clean manifests of your own: a name from the userName, no status, no label of the operator. Applied, each is a claim
beside the one it came from.

Without arguments everybody is written: from the resources of the cluster, one manifest a person, or with --from-lambdatest from the
accounts at LambdaTest.`,
		Example: `  # Take one person whom the identity provider created into Git
  kubectl lambdatest export scim-3irzrh5ttlhbmhlcpqesbkw5oe > people/ada.yaml
  # Move a whole LambdaTest organization into Git
  kubectl lambdatest export --from-lambdatest --folder people/`,
		RunE: func(cmd *cobra.Command, names []string) error {
			return options.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), names)
		},
	}
	options.where.bind(command)
	flags := command.Flags()
	flags.StringVar(&options.organization, "organization", defaultOrganization, "`name` of the LambdaTestOrganization")
	flags.BoolVar(&options.fromLambdaTest, "from-lambdatest", false, "write the accounts at LambdaTest; needs the right to read the organization's token")
	flags.StringVarP(&options.folder, "folder", "d", "", "write one file a person into this `folder` instead of everything to standard output")
	return command
}

func (o *exportOptions) run(ctx context.Context, out, progress io.Writer, names []string) error {
	reader, err := o.where.connect()
	if err != nil {
		return err
	}
	manifests, err := o.collect(ctx, reader, names)
	if err != nil {
		return err
	}
	if o.folder == "" {
		return writeStream(out, manifests)
	}
	if err := writeFolder(o.folder, manifests); err != nil {
		return err
	}
	fmt.Fprintf(progress, "wrote %s into %s\n", plural(len(manifests), "person", "people"), o.folder)
	return nil
}

func (o *exportOptions) collect(ctx context.Context, reader client.Reader, names []string) ([]exported, error) {
	switch {
	case o.fromLambdaTest && len(names) > 0:
		return nil, errors.New("--from-lambdatest writes everybody: name nobody, or leave it out")
	case o.fromLambdaTest:
		return o.fromAccounts(ctx, reader)
	default:
		return o.fromResources(ctx, reader, names)
	}
}

func (o *exportOptions) fromAccounts(ctx context.Context, reader client.Reader) ([]exported, error) {
	organization, err := findOrganization(ctx, reader, o.where.namespace, o.organization)
	if err != nil {
		return nil, err
	}
	accounts, err := accountsOf(ctx, reader, organization)
	if err != nil {
		return nil, err
	}
	manifests := make([]exported, 0, len(accounts))
	for _, account := range accounts {
		manifests = append(manifests, manifestOf(o.organization, specOfAccount(account)))
	}
	return ordered(manifests), nil
}

func (o *exportOptions) fromResources(ctx context.Context, reader client.Reader, names []string) ([]exported, error) {
	list := &v1alpha1.LambdaTestUserList{}
	err := reader.List(ctx, list, client.InNamespace(o.where.namespace), client.MatchingFields{"spec.organizationRef.name": o.organization})
	if err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	missing := map[string]bool{}
	for _, name := range names {
		missing[name] = true
	}
	byName := map[string]exported{}
	for i := range list.Items {
		user := &list.Items[i]
		if len(names) > 0 && !missing[user.Name] {
			continue
		}
		delete(missing, user.Name)
		manifest := manifestOf(o.organization, specOfResource(user))
		// Of several claims about one person, what people declared is what they want to keep.
		if _, there := byName[manifest.name]; !there || v1alpha1.IsDeclared(user) {
			byName[manifest.name] = manifest
		}
	}
	for name := range missing {
		return nil, fmt.Errorf("there is no LambdaTestUser %s of organization %s in namespace %s", name, o.organization, o.where.namespace)
	}
	manifests := make([]exported, 0, len(byName))
	for _, manifest := range byName {
		manifests = append(manifests, manifest)
	}
	return ordered(manifests), nil
}

// specOfResource is what a claim of one's own says when it shall say the same.
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
		spec.Role, spec.ConcurrencyGroup = v1alpha1.Role(account.Role), account.ConcurrencyGroup
		if !account.Active {
			spec.Active = new(false)
		}
	}
	return spec
}

func specOfAccount(account lambdatest.User) v1alpha1.LambdaTestUserSpec {
	spec := v1alpha1.LambdaTestUserSpec{
		UserName:         account.UserName,
		Name:             v1alpha1.PersonName{GivenName: account.GivenName, FamilyName: account.FamilyName},
		Role:             v1alpha1.Role(account.Role),
		ConcurrencyGroup: account.ConcurrencyGroup,
	}
	// The rules want a name; LambdaTest never takes it from here once there is an account.
	if spec.Name.GivenName == "" {
		spec.Name.GivenName = account.UserName
	}
	if spec.Name.FamilyName == "" {
		spec.Name.FamilyName = account.UserName
	}
	if !account.Active {
		spec.Active = new(false)
	}
	return spec
}

// manifestOf keeps what a person would write, and leaves defaults out.
func manifestOf(organization string, spec v1alpha1.LambdaTestUserSpec) exported {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&spec)
	if err != nil {
		panic(fmt.Errorf("converting a spec: %w", err)) // a type that is no JSON object: a mistake in this program
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
	// plainUserName is an address whose every character fits into a resource name, but for the @.
	plainUserName = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*@[a-z0-9]+([.-][a-z0-9]+)*$`)
	// notInNames is what is replaced in others.
	notInNames = regexp.MustCompile(`[^a-z0-9]+`)
)

// resourceName makes a name out of a userName: ada@example.com is ada-at-example.com. Where characters get lost, or the name belongs to
// the operator, a few characters of the person's digest keep it unique.
func resourceName(organization, userName string) string {
	const maxLength = 200
	folded := v1alpha1.FoldUserName(userName)
	reserved := strings.HasPrefix(folded, v1alpha1.SCIMNamePrefix) || strings.HasPrefix(folded, v1alpha1.ImportNamePrefix)
	if plainUserName.MatchString(folded) && !strings.Contains(folded, "-at-") && !reserved && len(folded) <= maxLength {
		return strings.Replace(folded, "@", "-at-", 1)
	}
	readable := strings.Trim(notInNames.ReplaceAllString(folded, "-"), "-")
	parts := []string{"user", readable[:min(len(readable), maxLength)], v1alpha1.PersonDigest(organization, userName)[:8]}
	return strings.ReplaceAll(strings.Join(parts, "-"), "--", "-")
}

func ordered(manifests []exported) []exported {
	slices.SortFunc(manifests, func(a, b exported) int { return strings.Compare(a.name, b.name) })
	return manifests
}

func writeStream(out io.Writer, manifests []exported) error {
	for i, each := range manifests {
		encoded, err := yaml.Marshal(each.manifest)
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

func writeFolder(folder string, manifests []exported) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // manifests are for everybody to read
		return fmt.Errorf("making the folder: %w", err)
	}
	for _, each := range manifests {
		encoded, err := yaml.Marshal(each.manifest)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, each.name+".yaml"), encoded, 0o644); err != nil { //nolint:gosec // manifests are for everybody to read
			return fmt.Errorf("writing a manifest: %w", err)
		}
	}
	return nil
}
