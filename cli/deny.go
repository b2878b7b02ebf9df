// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

const (
	// denialPrefix begins the names of resources that deny writes.
	denialPrefix = "deny-"
	// maxReasonBytes bounds the reason of a denial: it is an annotation that people read.
	maxReasonBytes = 1024
	// denialPatience is how long deny waits by default until the account is off. The operator promises 5 seconds while a replica leads, and 25
	// while another one takes over.
	denialPatience = 30 * time.Second
	// denialInterval is how often deny looks meanwhile.
	denialInterval = 500 * time.Millisecond
)

// denyOptions are the flags of deny.
type denyOptions struct {
	where  cluster
	which  choice
	reason string
	wait   time.Duration
}

func denyCommand() *cobra.Command {
	options := &denyOptions{}
	command := &cobra.Command{
		Use:   "deny PERSON --reason REASON",
		Short: "Deny one person access now, with a resource of its own; says when the account is off",
		Long: `Deny one person access now, whatever the identity provider and Git say: a denial by one resource wins over all others.

The command creates a LambdaTestUser with nothing but the address and active: false, the reason, and your user name. It changes no other
resource. Then it waits until the operator says that the account is off. "kubectl lambdatest undeny" deletes the resource again.

PERSON is an address, or the name of a LambdaTestUser about the person. No other resource need be about the address.

Exit codes: 0 if the person can no longer sign in; 3 if the denial is stored, and the account was not off after --wait; 1 if nothing was
stored.`,
		Example: `  kubectl lambdatest deny ada@example.com --reason "laptop stolen, ticket 4711"`,
		Args:    onePerson,
		RunE: func(cmd *cobra.Command, args []string) error {
			return options.run(cmd.Context(), cmd.OutOrStdout(), args[0])
		},
	}
	options.where.bind(command)
	options.which.bind(command, &options.where)
	command.ValidArgsFunction = personNames(&options.where, &options.which)
	command.Flags().StringVar(&options.reason, "reason", "", "why the person is denied; who reads the resource sees it. Required")
	command.Flags().DurationVar(&options.wait, "wait", denialPatience, "how long to wait until the account is off; 0 does not wait")
	return command
}

func (o *denyOptions) run(ctx context.Context, out io.Writer, argument string) error {
	if err := o.check(); err != nil {
		return err
	}
	writer, err := o.where.connect()
	if err != nil {
		return err
	}
	organization, userName, err := whomToDeny(ctx, writer, &o.where, &o.which, argument)
	if err != nil {
		return err
	}
	user, err := whoAmI(ctx, writer)
	if err != nil {
		return err
	}
	denial := denialOf(organization, userName, o.reason, user)
	if existing, err := storeDenial(ctx, writer, denial); err != nil {
		return err
	} else if existing {
		printf(out, "%s was denied before, by %s%s. That stays as it is.\n", userName, v1alpha1.UserKind+"/"+denial.Name, sinceText(denial.Status.DeniedAt))
	} else {
		printf(out, "%s is denied, by %s. No other resource can let the person in.\n", userName, v1alpha1.UserKind+"/"+denial.Name)
	}
	if o.wait <= 0 {
		return nil
	}
	return awaitOff(ctx, out, writer, denial, o.wait)
}

func (o *denyOptions) check() error {
	switch {
	case strings.TrimSpace(o.reason) == "":
		return errors.New("--reason is required: who reads the resource later must see why the person is denied")
	case len(o.reason) > maxReasonBytes:
		return fmt.Errorf("--reason has %d bytes, at most %d are stored", len(o.reason), maxReasonBytes)
	case o.wait < 0:
		return errors.New("--wait must not be negative")
	}
	return nil
}

// whomToDeny returns the organization and the address. An argument that is no address must be the name of a resource.
func whomToDeny(
	ctx context.Context, reader client.Reader, where *cluster, which *choice, argument string,
) (organization *v1alpha1.LambdaTestOrganization, userName string, err error) {
	if organization, err = which.find(ctx, reader, where.namespace); err != nil {
		return nil, "", err
	}
	isAddress := strings.Contains(argument, "@")
	read, err := readRoster(ctx, reader, where.namespace, organization.Name)
	if err != nil {
		if isAddress && apierrors.IsForbidden(err) { // who may only create resources can deny an address
			return organization, argument, nil
		}
		return nil, "", err
	}
	row, err := findPerson(read.people(), argument, where.namespace)
	if err != nil && isAddress {
		return organization, argument, nil
	}
	return organization, row.UserName, err // as the other resources spell it
}

// whoAmI is the user name that the API server knows the caller by.
func whoAmI(ctx context.Context, writer client.Client) (string, error) {
	review := &authenticationv1.SelfSubjectReview{}
	if err := writer.Create(ctx, review); err != nil {
		return "", fmt.Errorf("asking the API server for your user name: %w", err)
	}
	return review.Status.UserInfo.Username, nil
}

// denialOf is a resource with nothing but the address and the denial.
func denialOf(organization *v1alpha1.LambdaTestOrganization, userName, reason, user string) *v1alpha1.LambdaTestUser {
	denial := &v1alpha1.LambdaTestUser{Spec: v1alpha1.LambdaTestUserSpec{
		OrganizationRef: v1alpha1.OrganizationReference{Name: organization.Name},
		UserName:        userName,
		Active:          new(false),
	}}
	denial.Namespace, denial.Name = organization.Namespace, denialPrefix+resourceName(organization.Name, userName)
	denial.Annotations = map[string]string{v1alpha1.DenialReasonAnnotation: strings.TrimSpace(reason), v1alpha1.DeniedByAnnotation: user}
	return denial
}

// storeDenial creates the resource, or reads the one that is there. One of that name that does not deny is somebody's own.
func storeDenial(ctx context.Context, writer client.Client, denial *v1alpha1.LambdaTestUser) (existing bool, err error) {
	wanted := denial.DeepCopy()
	err = writer.Create(ctx, denial)
	if err == nil {
		return false, nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return false, fmt.Errorf("storing the denial: %w", err)
	}
	if err := writer.Get(ctx, client.ObjectKeyFromObject(wanted), denial); err != nil {
		return false, fmt.Errorf("reading the denial: %w", err)
	}
	switch {
	case !denial.DeletionTimestamp.IsZero():
		return true, fmt.Errorf("%s is being deleted: wait until it is gone, see kubectl lambdatest why %s, then deny again", v1alpha1.UserKind+"/"+denial.Name, denial.Spec.UserName)
	case !denial.IsDenial() || denial.Spec.ManagementPolicy == v1alpha1.ManagementObserve || denial.Spec.OrganizationRef != wanted.Spec.OrganizationRef ||
		v1alpha1.FoldUserName(denial.Spec.UserName) != v1alpha1.FoldUserName(wanted.Spec.UserName):
		return true, fmt.Errorf("%s exists and does not deny %s: rename it, or set spec.active: false in it", v1alpha1.UserKind+"/"+denial.Name, wanted.Spec.UserName)
	}
	return true, nil
}

// awaitOff waits until the operator says that the account is off.
func awaitOff(ctx context.Context, out io.Writer, reader client.Reader, denial *v1alpha1.LambdaTestUser, patience time.Duration) error {
	began := time.Now()
	for {
		err := reader.Get(ctx, client.ObjectKeyFromObject(denial), denial)
		switch {
		case apierrors.IsNotFound(err):
			return fmt.Errorf("%s was deleted meanwhile", v1alpha1.UserKind+"/"+denial.Name)
		case err != nil:
			return fmt.Errorf("reading the denial: %w", err)
		case denial.Status.OffAt != nil:
			printf(out, "The person can no longer sign in, since %s.\n", instant(denial.Status.OffAt))
			return nil
		case time.Since(began) >= patience:
			ready := currentReady(denial, denial.Status.ObservedGeneration)
			printf(out, "THE PERSON CAN STILL SIGN IN, or may be able to. %s: %s\n", ready.Reason, ready.Message)
			if ready.Reason != v1alpha1.DeniedButActiveReason { // whose message says so
				printf(out, "If it cannot wait, deactivate the person by hand at LambdaTest.\n")
			}
			return ErrDeniedButActive
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(denialInterval):
		}
	}
}

func undenyCommand() *cobra.Command {
	var where cluster
	var which choice
	var yes bool
	command := &cobra.Command{
		Use:   "undeny PERSON",
		Short: "Delete the resource that deny created; shows what follows and asks first",
		Long: `Delete the resource that "kubectl lambdatest deny" created, and no other. The command shows what the other resources say about the person,
and asks first.

If another resource still denies the person, the person stays denied. If none is left about the person, the account stays off. The guard may
hold the change: see kubectl lambdatest status.`,
		Example: "  kubectl lambdatest undeny ada@example.com",
		Args:    onePerson,
		RunE: func(cmd *cobra.Command, args []string) error {
			writer, err := where.connect()
			if err != nil {
				return err
			}
			return undeny(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), writer, &where, &which, args[0], yes)
		},
	}
	where.bind(command)
	which.bind(command, &where)
	command.ValidArgsFunction = personNames(&where, &which)
	command.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	return command
}

func undeny(ctx context.Context, in io.Reader, out io.Writer, writer client.Client, where *cluster, which *choice, argument string, yes bool) error {
	chosen, err := which.find(ctx, writer, where.namespace)
	if err != nil {
		return err
	}
	read, err := readRoster(ctx, writer, where.namespace, chosen.Name)
	if err != nil {
		return err
	}
	row, err := findPerson(read.people(), argument, where.namespace)
	if err != nil {
		return err
	}
	denials := slices.DeleteFunc(slices.Clone(row.Claims), func(claim claimRow) bool { return !claim.isByDeny() || claim.Deleting })
	if len(denials) == 0 {
		return notByDeny(&row)
	}
	for _, claim := range denials {
		printf(out, "%s\n", claim.sentence())
	}
	printf(out, "%s\n", afterUndeny(&row))
	if !yes && !confirmed(in, out, "Delete %s?", plural(len(denials), "denial", "denials")) {
		return errNothingDone
	}
	for _, claim := range denials {
		resource := &v1alpha1.LambdaTestUser{}
		resource.Namespace, resource.Name = row.Namespace, strings.TrimPrefix(claim.Resource, v1alpha1.UserKind+"/")
		if err := client.IgnoreNotFound(writer.Delete(ctx, resource)); err != nil {
			return fmt.Errorf("deleting %s: %w", claim.Resource, err)
		}
		printf(out, "%s is deleted, or will be once the operator has released it.\n", claim.Resource)
	}
	return nil
}

// notByDeny says what denies the person instead.
func notByDeny(row *personRow) error {
	switch {
	case row.Denied:
		return fmt.Errorf("%s is denied by %s, which the command deny did not write; to see what ends that: kubectl lambdatest why %s -n %s",
			row.UserName, row.DeniedBy, row.UserName, row.Namespace)
	case row.Unclaimed:
		return fmt.Errorf("no resource denies %s, and none decides about the account", row.UserName)
	}
	return fmt.Errorf("no resource denies %s", row.UserName)
}

// afterUndeny says what the other resources say about the person.
func afterUndeny(row *personRow) string {
	var others []claimRow
	for _, claim := range row.Claims {
		if claim.Counts && !claim.isByDeny() {
			others = append(others, claim)
		}
	}
	for _, claim := range others {
		if claim.Denies {
			return fmt.Sprintf("%s also denies the person, so the person stays denied.", claim.Resource)
		}
	}
	if len(others) == 0 {
		return "No other resource decides about the person, so the account stays off."
	}
	return fmt.Sprintf("%s says that the person may sign in, so the operator activates the account.", others[0].Resource)
}
