// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// way is one way of the API to turn a stored resource into a changed one.
type way struct {
	name   string
	change func(ctx context.Context, writer client.Client, stored, changed *unstructured.Unstructured) error
}

// ways are all ways to change what is stored; deletions are apart.
var ways = []way{
	{"an update", func(ctx context.Context, writer client.Client, _, changed *unstructured.Unstructured) error {
		return writer.Update(ctx, changed.DeepCopy())
	}},
	{"a JSON patch", func(ctx context.Context, writer client.Client, stored, changed *unstructured.Unstructured) error {
		return writer.Patch(ctx, stored.DeepCopy(), client.RawPatch(types.JSONPatchType, jsonPatch(stored, changed)))
	}},
	{"a merge patch", func(ctx context.Context, writer client.Client, stored, changed *unstructured.Unstructured) error {
		return writer.Patch(ctx, changed.DeepCopy(), client.MergeFrom(stored))
	}},
	{"server-side apply", applied},
}

// applied takes all fields over from the operator first, because an apply removes only what its own manager applied before.
func applied(ctx context.Context, writer client.Client, stored, changed *unstructured.Unstructured) error {
	const manager = "flux"
	mine := bare(stored)
	if err := apply(ctx, writer, mine, manager); err != nil {
		return fmt.Errorf("applying what is stored: %w", err)
	}
	others := mine.DeepCopy()
	var owned []metav1.ManagedFieldsEntry
	for _, entry := range mine.GetManagedFields() {
		if entry.Manager == manager {
			owned = append(owned, entry)
		}
	}
	mine.SetManagedFields(owned)
	if err := writer.Patch(ctx, mine, client.MergeFrom(others)); err != nil {
		return fmt.Errorf("taking over the fields: %w", err)
	}
	return apply(ctx, writer, bare(changed), manager)
}

func apply(ctx context.Context, writer client.Client, object *unstructured.Unstructured, manager string) error {
	return writer.Patch(ctx, object, client.Apply, client.ForceOwnership, client.FieldOwner(manager)) //nolint:staticcheck // it applies exactly this object
}

// bare is what a manifest says of a resource.
func bare(object *unstructured.Unstructured) *unstructured.Unstructured {
	manifest := &unstructured.Unstructured{Object: map[string]any{"spec": object.DeepCopy().Object["spec"]}}
	manifest.SetGroupVersionKind(object.GroupVersionKind())
	manifest.SetNamespace(object.GetNamespace())
	manifest.SetName(object.GetName())
	manifest.SetLabels(object.GetLabels())
	manifest.SetAnnotations(object.GetAnnotations())
	manifest.SetFinalizers(object.GetFinalizers())
	return manifest
}

// jsonPatch replaces whole parts of a resource.
func jsonPatch(stored, changed *unstructured.Unstructured) []byte {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value,omitempty"`
	}
	var operations []operation
	for _, path := range [][]string{{"metadata", "finalizers"}, {"metadata", "annotations"}, {"metadata", "labels"}, {"spec"}, {"status"}} {
		before, _, _ := unstructured.NestedFieldNoCopy(stored.Object, path...)
		after, present, _ := unstructured.NestedFieldNoCopy(changed.Object, path...)
		pointer := ""
		for _, element := range path {
			pointer += "/" + element
		}
		switch {
		case reflect.DeepEqual(before, after):
		case present:
			operations = append(operations, operation{"add", pointer, after})
		default:
			operations = append(operations, operation{Op: "remove", Path: pointer})
		}
	}
	patch, err := json.Marshal(operations)
	Expect(err).NotTo(HaveOccurred())
	return patch
}

// statusWays are all ways to change the status of a resource.
var statusWays = []way{
	{"an update", func(ctx context.Context, writer client.Client, _, changed *unstructured.Unstructured) error {
		return writer.Status().Update(ctx, changed.DeepCopy())
	}},
	{"a JSON patch", func(ctx context.Context, writer client.Client, stored, changed *unstructured.Unstructured) error {
		return writer.Status().Patch(ctx, stored.DeepCopy(), client.RawPatch(types.JSONPatchType, jsonPatch(stored, changed)))
	}},
	{"a merge patch", func(ctx context.Context, writer client.Client, stored, changed *unstructured.Unstructured) error {
		return writer.Status().Patch(ctx, changed.DeepCopy(), client.MergeFrom(stored))
	}},
	{"server-side apply", func(ctx context.Context, writer client.Client, _, changed *unstructured.Unstructured) error {
		manifest := bare(changed)
		manifest.Object["status"] = changed.DeepCopy().Object["status"]
		return writer.Status().Patch(ctx, manifest, client.Apply, client.ForceOwnership, client.FieldOwner("flux")) //nolint:staticcheck // it applies exactly this object
	}},
}

// bound is a client of a user who has a role of Kubernetes in the namespace, and the right to write status besides, so that it is the policy
// which is asked about status.
func bound(ctx context.Context, name, clusterRole string) client.Client {
	GinkgoHelper()
	writesStatus := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "status-" + name},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{"iam.lambdatest.io"}, Resources: []string{"lambdatestusers/status", "lambdatestgroups/status"}, Verbs: []string{"update", "patch"},
		}},
	}
	Expect(admin.Create(ctx, writesStatus)).To(Succeed())
	for _, role := range []rbacv1.RoleRef{
		{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: clusterRole},
		{APIGroup: rbacv1.GroupName, Kind: "Role", Name: writesStatus.Name},
	} {
		Expect(admin.Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", GenerateName: name + "-"},
			RoleRef:    role,
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
		})).To(Succeed())
	}
	user := clientOf(name)
	Eventually(func() error { return user.Create(ctx, userNamed("may-"+name), client.DryRunAll) }).Should(Succeed(), "the role should include the operator's resources")
	return user
}
