// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// dryRun asks the API server whether it would take manifests. It writes nothing.
type dryRun struct {
	writer client.Client
	plan   *plan
	err    error
}

// checkManifests asks about the manifests that differ from what is stored. Those that would be refused leave the cluster as it is.
func checkManifests[T client.Object](ctx context.Context, check *dryRun, stored []T, declared map[string]T, edit edits[T]) {
	there := map[string]T{}
	for _, object := range stored {
		there[object.GetName()] = object
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		manifest := declared[name]
		object, exists := there[name]
		var refused bool
		if exists {
			refused = check.refusesUpdate(ctx, object, manifest, edit.changed(object, manifest), edit.kind+"/"+name)
		} else {
			refused = check.refuses(check.writer.Create(ctx, manifest.DeepCopyObject().(client.Object), client.DryRunAll), edit.kind+"/"+name)
		}
		switch {
		case check.err != nil || check.plan.Unchecked != "":
			return
		case refused && exists:
			edit.replace(manifest, object)
		case refused:
			delete(declared, name)
		}
	}
}

// refusesUpdate asks about a change, if there is one: updated is the stored object with the spec of the manifest.
func (d *dryRun) refusesUpdate(ctx context.Context, stored, manifest, updated client.Object, resource string) bool {
	updated.SetLabels(merged(stored.GetLabels(), manifest.GetLabels()))
	updated.SetAnnotations(merged(stored.GetAnnotations(), manifest.GetAnnotations()))
	if equality.Semantic.DeepEqual(stored, updated) {
		return false
	}
	return d.refuses(d.writer.Update(ctx, updated, client.DryRunAll), resource)
}

func merged(stored, manifest map[string]string) map[string]string {
	if len(manifest) == 0 {
		return stored
	}
	all := maps.Clone(stored)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, manifest)
	return all
}

// refuses tells whether the answer is a refusal of the manifest. A right that the user lacks says nothing about the manifest.
func (d *dryRun) refuses(err error, resource string) bool {
	switch {
	case err == nil, apierrors.IsConflict(err): // another writer changed it meanwhile
		return false
	case apierrors.IsForbidden(err) && !strings.Contains(err.Error(), "denied request"): // which is how admission begins
		d.plan.Unchecked = fmt.Sprintf("Not checked whether the API server would take the manifests, because you may not apply them: %v.", err)
		return false
	case apierrors.IsInvalid(err), apierrors.IsForbidden(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err),
		apierrors.IsAlreadyExists(err): // in another organization
		d.plan.Refused = append(d.plan.Refused, refusedManifest{Resource: resource, Message: err.Error()})
		return true
	}
	d.err = fmt.Errorf("asking the API server about %s: %w", resource, err)
	return false
}
