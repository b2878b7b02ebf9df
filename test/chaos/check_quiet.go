// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

const (
	// quietLead is time for writes right after everything agrees, such as the counts in an organization's status. quietTime is two sweeps of
	// every organization.
	quietLead = 8 * time.Second
	quietTime = 15 * time.Second
)

// versionsNow returns the resourceVersions of everything that the operator may write, except leases.
func (r *run) versionsNow(ctx context.Context) (map[string]string, error) {
	versions := map[string]string{}
	for _, list := range []client.ObjectList{
		&v1alpha1.LambdaTestUserList{}, &v1alpha1.LambdaTestGroupList{}, &v1alpha1.LambdaTestOrganizationList{}, &corev1.SecretList{},
	} {
		if err := r.env.Client.List(ctx, list); err != nil {
			return nil, err
		}
		for _, object := range objectsIn(list) {
			versions[fmt.Sprintf("%T %s/%s", object, object.GetNamespace(), object.GetName())] = object.GetResourceVersion()
		}
	}
	return versions, nil
}

func objectsIn(list client.ObjectList) []client.Object {
	var objects []client.Object
	switch list := list.(type) {
	case *v1alpha1.LambdaTestUserList:
		objects = pointers(list.Items, func(o *v1alpha1.LambdaTestUser) client.Object { return o })
	case *v1alpha1.LambdaTestGroupList:
		objects = pointers(list.Items, func(o *v1alpha1.LambdaTestGroup) client.Object { return o })
	case *v1alpha1.LambdaTestOrganizationList:
		objects = pointers(list.Items, func(o *v1alpha1.LambdaTestOrganization) client.Object { return o })
	case *corev1.SecretList:
		objects = pointers(list.Items, func(o *corev1.Secret) client.Object { return o })
	}
	return objects
}

func pointers[T any](items []T, as func(*T) client.Object) []client.Object {
	objects := make([]client.Object, len(items))
	for i := range items {
		objects[i] = as(&items[i])
	}
	return objects
}

// stirs waits for two sweeps and returns the writes meanwhile, in the API server and at LambdaTest. There should be none.
func (r *run) stirs(ctx context.Context) []violation {
	pause(ctx, quietLead)
	before, err := r.versionsNow(ctx)
	writes := r.upstreamWrites()
	pause(ctx, quietTime)
	after, again := r.versionsNow(ctx)
	if err != nil || again != nil {
		return []violation{{Check: "quiet", Detail: "the API server did not answer"}}
	}
	found := moved(before, after)
	if more := r.upstreamWrites() - writes; more > 0 {
		found = append(found, violation{Check: "quiet", Detail: fmt.Sprintf("%d writes at LambdaTest while nothing changed", more)})
	}
	return found
}

func (r *run) upstreamWrites() int {
	writes := 0
	for _, t := range r.tenants {
		writes += t.lambdaTest.Writes()
	}
	return writes
}

// moved returns the resources that were written, created or deleted.
func moved(before, after map[string]string) []violation {
	var found []violation
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if before[name] != after[name] {
			found = append(found, violation{Check: "quiet", Whom: name, Detail: fmt.Sprintf(
				"resourceVersion went from %q to %q while nothing changed", before[name], after[name])})
		}
	}
	return found
}
