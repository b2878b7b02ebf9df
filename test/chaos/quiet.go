// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/parties"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
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
func (r *run) stirs(ctx context.Context) []promises.Violation {
	parties.Pause(ctx, quietLead)
	before, err := r.versionsNow(ctx)
	writes := r.upstreamWrites()
	parties.Pause(ctx, quietTime)
	after, again := r.versionsNow(ctx)
	if err != nil || again != nil {
		return []promises.Violation{{Check: "quiet", Detail: "the API server did not answer"}}
	}
	return append(promises.Moved(before, after), promises.Written(r.upstreamWrites()-writes)...)
}

func (r *run) upstreamWrites() int {
	writes := 0
	for _, t := range r.tenants {
		writes += t.LambdaTest.Writes()
	}
	return writes
}
