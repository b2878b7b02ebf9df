// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// operatorName is the value of the label app.kubernetes.io/name, for every way to install the operator.
const operatorName = "lambdatest-operator"

func addExtensions(scheme *runtime.Scheme) error { return apiextensionsv1.AddToScheme(scheme) }

// uninstallation removes everything in an order in which no person loses access.
type uninstallation struct {
	client    client.Client
	namespace string
	out       io.Writer
}

func uninstallCommand() *cobra.Command {
	var where cluster
	var yes bool
	command := &cobra.Command{
		Use:   "uninstall",
		Short: "Remove the operator's resources and CRDs in the right order; accounts at LambdaTest stay unchanged",
		Long: `Remove the operator's resources and CRDs in the right order; no person loses access or a role at LambdaTest.

The command
  1. stops the operator (scales its Deployment in --namespace to 0), so that it deactivates no account;
  2. removes the finalizers of all LambdaTestUsers, LambdaTestGroups and LambdaTestOrganizations, in all namespaces;
  3. deletes the CRDs, and with them those resources.

Your account must be allowed to delete the CRDs: the admission policy lets only such an account remove the finalizers of an identity provider's
resources.

It does not remove the Deployment, RBAC and admission policy: remove them with the tool that installed them, such as helm uninstall.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			writer, err := where.connect()
			if err != nil {
				return err
			}
			u := &uninstallation{client: writer, namespace: where.namespace, out: cmd.OutOrStdout()}
			if err := u.announce(cmd.Context()); err != nil {
				return err
			}
			if !yes && !confirmed(cmd.InOrStdin(), cmd.OutOrStdout(), "Delete all of these? Accounts at LambdaTest stay unchanged.") {
				return errNothingDone
			}
			return u.run(cmd.Context())
		},
	}
	where.bind(command)
	command.Flags().Lookup("namespace").Usage = "`namespace` of the operator; default: the namespace of the context"
	command.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	return command
}

// kinds are the resources to remove, in order: organizations are last, because the others need them.
var kinds = []struct {
	name string
	list func() client.ObjectList
}{
	{"LambdaTestUsers", func() client.ObjectList { return &v1alpha1.LambdaTestUserList{} }},
	{"LambdaTestGroups", func() client.ObjectList { return &v1alpha1.LambdaTestGroupList{} }},
	{"LambdaTestOrganizations", func() client.ObjectList { return &v1alpha1.LambdaTestOrganizationList{} }},
}

func (u *uninstallation) announce(ctx context.Context) error {
	printf(u.out, "To be deleted, in all namespaces:\n")
	for _, kind := range kinds {
		objects, err := u.read(ctx, kind.list())
		if err != nil {
			return err
		}
		printf(u.out, "%6d %s\n", len(objects), kind.name)
	}
	return nil
}

// read returns all objects of a kind; none if its CRD is already deleted.
func (u *uninstallation) read(ctx context.Context, list client.ObjectList) ([]client.Object, error) {
	if err := u.client.List(ctx, list); err != nil {
		if meta.IsNoMatchError(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("listing resources: %w", err)
	}
	var objects []client.Object
	err := meta.EachListItem(list, func(item runtime.Object) error {
		objects = append(objects, item.(client.Object))
		return nil
	})
	return objects, err
}

func (u *uninstallation) run(ctx context.Context) error {
	if err := u.stopOperator(ctx); err != nil {
		return err
	}
	for _, kind := range kinds {
		objects, err := u.read(ctx, kind.list())
		if err != nil {
			return err
		}
		if err := u.release(ctx, objects); err != nil {
			return err
		}
		printf(u.out, "released %s\n", plural(len(objects), strings.TrimSuffix(kind.name, "s"), kind.name))
	}
	return u.deleteCRDs(ctx)
}

// stopOperator comes first: a running operator would deactivate the account of a deleted resource.
func (u *uninstallation) stopOperator(ctx context.Context) error {
	deployments := &appsv1.DeploymentList{}
	err := u.client.List(ctx, deployments, client.InNamespace(u.namespace), client.MatchingLabels{"app.kubernetes.io/name": operatorName})
	if err != nil {
		return fmt.Errorf("finding the operator: %w", err)
	}
	if len(deployments.Items) == 0 {
		printf(u.out, "there is no Deployment of the operator in namespace %s; if it runs elsewhere, name its namespace with -n\n", u.namespace)
	}
	for i := range deployments.Items {
		deployment := &deployments.Items[i]
		before := deployment.DeepCopy()
		deployment.Spec.Replicas = new(int32(0))
		if err := u.client.Patch(ctx, deployment, client.MergeFrom(before)); err != nil {
			return fmt.Errorf("stopping the operator: %w", err)
		}
		printf(u.out, "stopping the operator, Deployment %s …\n", deployment.Name)
		if err := u.waitForStop(ctx, deployment); err != nil {
			return err
		}
	}
	return nil
}

func (u *uninstallation) waitForStop(ctx context.Context, deployment *appsv1.Deployment) error {
	const patience = 2 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for deployment.Status.Replicas > 0 || deployment.Status.ObservedGeneration < deployment.Generation {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the operator to stop: %w", ctx.Err())
		case <-time.After(time.Second):
		}
		if err := u.client.Get(ctx, client.ObjectKeyFromObject(deployment), deployment); err != nil {
			return fmt.Errorf("waiting for the operator to stop: %w", err)
		}
	}
	return nil
}

// release removes the finalizers.
func (u *uninstallation) release(ctx context.Context, objects []client.Object) error {
	for _, object := range objects {
		if !controllerutil.ContainsFinalizer(object, v1alpha1.Finalizer) {
			continue
		}
		before := object.DeepCopyObject().(client.Object)
		controllerutil.RemoveFinalizer(object, v1alpha1.Finalizer)
		if err := client.IgnoreNotFound(u.client.Patch(ctx, object, client.MergeFrom(before))); err != nil {
			return fmt.Errorf("releasing %s: %w", object.GetName(), err)
		}
	}
	return nil
}

func (u *uninstallation) deleteCRDs(ctx context.Context) error {
	for _, kind := range kinds {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		crd.Name = strings.ToLower(kind.name) + "." + v1alpha1.SchemeGroupVersion.Group
		if err := client.IgnoreNotFound(u.client.Delete(ctx, crd)); err != nil {
			return fmt.Errorf("deleting CRD %s: %w", crd.Name, err)
		}
		printf(u.out, "deleted CRD %s\n", crd.Name)
	}
	return nil
}
