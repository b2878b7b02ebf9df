// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package expect

import (
	"context"
	"fmt"
	"maps"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// Applied creates the object and returns it as the API server has it.
func Applied[T client.Object](ctx context.Context, k8s client.Client, object T) T {
	GinkgoHelper()
	Expect(k8s.Create(ctx, object)).To(Succeed(), "creating %s", object.GetName())
	return object
}

// Fetched returns the object as the API server has it now. It does not change its argument.
func Fetched[T client.Object](ctx context.Context, k8s client.Client, object T) T {
	GinkgoHelper()
	fresh := object.DeepCopyObject().(T)
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(object), fresh)).To(Succeed(), "reading %s", object.GetName())
	return fresh
}

// Changed reads the object, changes it and writes it back.
func Changed[T client.Object](ctx context.Context, k8s client.Client, object T, change func(T)) T {
	GinkgoHelper()
	stored := Fetched(ctx, k8s, object)
	changed := stored.DeepCopyObject().(T)
	change(changed)
	Expect(k8s.Patch(ctx, changed, client.MergeFrom(stored))).To(Succeed(), "changing %s", object.GetName())
	return changed
}

// Deleted requests the deletion of the object; a finalizer may keep it.
func Deleted[T client.Object](ctx context.Context, k8s client.Client, object T) T {
	GinkgoHelper()
	Expect(k8s.Delete(ctx, object)).To(Succeed(), "deleting %s", object.GetName())
	return object
}

// Exists reports whether the API server still has the object.
func Exists(ctx context.Context, k8s client.Client, object client.Object) bool {
	GinkgoHelper()
	err := k8s.Get(ctx, client.ObjectKeyFromObject(object), object.DeepCopyObject().(client.Object))
	Expect(client.IgnoreNotFound(err)).To(Succeed(), "reading %s", object.GetName())
	return err == nil
}

// Namespace creates a namespace with a unique name.
func Namespace(ctx context.Context, k8s client.Client) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-"}}
	return Applied(ctx, k8s, namespace).Name
}

// Indexed returns a client that supports lists by the given field indexes, like a cache, but reads from the API server: specs that call
// Reconcile themselves need not wait for a cache.
func Indexed(k8s client.WithWatch, indexers map[string]client.IndexerFunc) client.WithWatch {
	return interceptor.NewClient(k8s, interceptor.Funcs{
		List: func(ctx context.Context, k8s client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			var all client.ListOptions
			all.ApplyOptions(options)
			wanted := map[string]string{}
			if all.FieldSelector != nil {
				for _, requirement := range all.FieldSelector.Requirements() {
					wanted[requirement.Field] = requirement.Value
				}
			}
			all.FieldSelector, all.UnsafeDisableDeepCopy = nil, nil
			if err := k8s.List(ctx, list, &all); err != nil {
				return err
			}
			return keepIndexed(list, indexers, wanted)
		},
	})
}

func keepIndexed(list client.ObjectList, indexers map[string]client.IndexerFunc, wanted map[string]string) error {
	if len(wanted) == 0 {
		return nil
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return fmt.Errorf("reading a list: %w", err)
	}
	for _, field := range slices.Sorted(maps.Keys(wanted)) {
		extract, ok := indexers[field]
		if !ok {
			return fmt.Errorf("there is no index %s", field)
		}
		items = slices.DeleteFunc(items, func(item runtime.Object) bool {
			return !slices.Contains(extract(item.(client.Object)), wanted[field])
		})
	}
	return meta.SetList(list, items)
}
