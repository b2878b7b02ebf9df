// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/hosts"
)

// upstream is where a command may send the token of an organization: to LambdaTest, and to hosts that its flag names. The one who wrote
// the organization decides neither.
type upstream struct {
	hosts []string
	yes   bool
}

func (u *upstream) bind(command *cobra.Command) {
	flags := command.Flags()
	flags.StringSliceVar(&u.hosts, "upstream-hosts", nil, "hosts, or `host:port`, that the organization's token may be sent to besides LambdaTest's own; \"http://host:port\" also allows plain HTTP. The command asks before it sends")
	flags.BoolVarP(&u.yes, "yes", "y", false, "do not ask before the token is sent to one of --upstream-hosts")
}

// connect returns a client of the organization's LambdaTest. It reads the token after every check: for an organization that the operator
// refuses, or whose host is not allowed here, nothing is read and nothing is sent.
func (u *upstream) connect(ctx context.Context, in io.Reader, out io.Writer, reader client.Reader, organization *v1alpha1.LambdaTestOrganization) (*lambdatest.Client, error) {
	allowed, err := hosts.Parse(u.hosts)
	if err != nil {
		return nil, fmt.Errorf("--upstream-hosts: %w", err)
	}
	if err := acceptedByOperator(organization); err != nil {
		return nil, err
	}
	ref, baseURL := organization.Spec.TokenSecretRef, organization.Spec.BaseURL
	if !allowed.Allows(baseURL) {
		return nil, fmt.Errorf("organization %s names %s, which is not LambdaTest: the token in Secret %s is not sent there unless --upstream-hosts names the host",
			organization.Name, baseURL, ref.Name)
	}
	if !u.yes && !isLambdaTest(baseURL) {
		if !confirmed(in, out, "Organization %s is not at LambdaTest. Send the key %s of Secret %s to %s?", organization.Name, ref.Key, ref.Name, baseURL) {
			return nil, errNothingDone
		}
	}
	secret := &corev1.Secret{}
	if err := reader.Get(ctx, client.ObjectKey{Namespace: organization.Namespace, Name: ref.Name}, secret); err != nil {
		return nil, fmt.Errorf("reading the organization's token, to ask LambdaTest with: %w", err)
	}
	made, err := allowed.Connect(baseURL, strings.TrimSpace(string(secret.Data[ref.Key])))
	if err != nil {
		return nil, fmt.Errorf("using the token in Secret %s: %w", ref.Name, err)
	}
	return made, nil
}

func isLambdaTest(baseURL string) bool {
	own, err := hosts.Parse(nil)
	return err == nil && own.Allows(baseURL)
}

// acceptedByOperator refuses an organization that the operator does not connect: it sends the token of none whose spec it has not looked
// at, and none that it refuses. What stops calls for a while, such as spec.suspend or an outage, does not matter once the organization
// has been connected.
func acceptedByOperator(organization *v1alpha1.LambdaTestOrganization) error {
	refused := func(why string) error {
		return fmt.Errorf("the operator has not accepted organization %s, so its token is not sent: %s", organization.Name, why)
	}
	ready := meta.FindStatusCondition(organization.Status.Conditions, v1alpha1.ReadyCondition)
	switch {
	case ready == nil || organization.Status.ObservedGeneration != organization.Generation:
		return refused("it has not reconciled the latest change yet")
	case ready.Status == metav1.ConditionTrue:
		return nil
	case refusals[ready.Reason] || organization.Status.Unclaimed == nil: // unclaimed is counted by a sweep, and so known once connected
		return refused(ready.Reason + ": " + ready.Message)
	}
	return nil
}

// refusals are the reasons for which the operator sends an organization's token nowhere.
var refusals = map[string]bool{
	v1alpha1.InvalidBaseURLReason:        true,
	v1alpha1.SecretNotFoundReason:        true,
	v1alpha1.DuplicateOrganizationReason: true,
}
