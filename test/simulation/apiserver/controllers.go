// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"net/http"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

const (
	definitionFinalizer = "customresourcecleanup.apiextensions.k8s.io"
	// emptyingDelay is how long after a namespace its objects are deleted: the namespace controller of a real cluster takes a few seconds.
	emptyingDelay = 5 * time.Second
	// controllerPeriod is how often what has finalizers is looked at again.
	controllerPeriod = time.Second
	controllerUser   = "system:kube-controller-manager"
)

// RunControllers does what the controllers of a cluster do for the operator until ctx ends: it empties and removes namespaces and definitions
// that are being deleted, and deletes objects whose owners are gone. It waits for finalizers, as they do.
func (s *Server) RunControllers(ctx context.Context) {
	for {
		s.mu.Lock()
		namespaces, definitions := s.kinds[namespacesResource].table, s.kinds[definitionsResource].table
		changed := [3]<-chan struct{}{namespaces.changed.wait(), definitions.changed.wait(), s.store.removed.wait()}
		busy := s.terminate(namespaces, s.emptyNamespace)
		busy = s.terminate(definitions, s.emptyDefinition) || busy
		s.collectGarbage()
		s.mu.Unlock()
		if !busy {
			select {
			case <-changed[0]:
			case <-changed[1]:
			case <-changed[2]:
			case <-ctx.Done():
				return
			}
		}
		if !sleep(ctx, controllerPeriod) {
			return
		}
	}
}

// collectGarbage deletes objects that have owners of which none is left.
func (s *Server) collectGarbage() {
	alive := map[types.UID]bool{}
	for _, t := range s.store.tables {
		for _, v := range t.versions {
			alive[meta(v.object).GetUID()] = true
		}
	}
	for _, k := range s.sortedKinds() {
		for _, key := range slices.Clone(k.table.keys) {
			o := meta(k.table.versions[key].object)
			owners := o.GetOwnerReferences()
			isOwned := slices.ContainsFunc(owners, func(owner metav1.OwnerReference) bool { return alive[owner.UID] })
			if len(owners) > 0 && !isOwned && o.GetDeletionTimestamp() == nil {
				s.remove(k, o.GetNamespace(), key)
			}
		}
	}
}

// remove deletes an object as a controller does; what fails is tried again.
func (s *Server) remove(k *kind, namespace, key string) {
	in := intentOf(k, "delete", "", "")
	in.namespace = namespace
	_, _, _ = s.deleteLocked(in.request, key, &metav1.DeleteOptions{})
}

// terminate calls empty for each object that is being deleted, and says whether there is any.
func (s *Server) terminate(t *table, empty func(*version)) bool {
	busy := false
	for _, key := range slices.Clone(t.keys) {
		if v := t.versions[key]; meta(v.object).GetDeletionTimestamp() != nil {
			busy = true
			empty(v)
		}
	}
	return busy
}

// emptyNamespace deletes the objects of a namespace, and the namespace when there are none.
func (s *Server) emptyNamespace(v *version) {
	if time.Since(meta(v.object).GetDeletionTimestamp().Time) < emptyingDelay {
		return
	}
	left := 0
	for _, k := range s.sortedKinds() {
		if k.namespaced && k.Group != eventsGroup {
			left += s.deleteAll(k, v.key)
		}
	}
	if left > 0 {
		return
	}
	k := s.kinds[namespacesResource]
	o := meta(v.object).DeepCopy().Object
	unstructured.RemoveNestedField(o, "spec", "finalizers")
	_, _ = s.updateLocked(intentOf(k, "update", v.key, "finalize"), v, o) // the next round tries again
}

// emptyDefinition deletes the objects of a definition, and the definition when there are none.
func (s *Server) emptyDefinition(v *version) {
	resource, _, _ := unstructured.NestedString(v.object, "spec", "names", "plural")
	group, _, _ := unstructured.NestedString(v.object, "spec", "group")
	for _, k := range s.sortedKinds() {
		if k.Resource == resource && k.Group == group && s.deleteAll(k, "") > 0 {
			return
		}
	}
	k := s.kinds[definitionsResource]
	o := meta(v.object).DeepCopy()
	o.SetFinalizers(slices.DeleteFunc(o.GetFinalizers(), func(name string) bool { return name == definitionFinalizer }))
	if _, err := s.updateLocked(intentOf(k, "update", v.key, ""), v, o.Object); err != nil || k.table.versions[v.key] != nil {
		return // the next round tries again
	}
	for gvr, served := range s.kinds {
		if served.Resource == resource && served.Group == group {
			delete(s.kinds, gvr)
		}
	}
}

// deleteAll deletes the objects of a kind, in one namespace or in all, and says how many are left.
func (s *Server) deleteAll(k *kind, namespace string) (left int) {
	chosen := selection{namespace: namespace}
	for _, key := range slices.Clone(k.table.keys) {
		v := k.table.versions[key]
		if !chosen.contains(v) {
			continue
		}
		if meta(v.object).GetDeletionTimestamp() == nil {
			s.remove(k, meta(v.object).GetNamespace(), key)
		}
		if k.table.versions[key] != nil {
			left++
		}
	}
	return left
}

// intentOf is a write of a controller.
func intentOf(k *kind, verb, name, subresource string) intent {
	return intent{
		request: &request{Request: &http.Request{}, kind: k, verb: verb, name: name, subresource: subresource, user: controllerUser},
		manager: controllerUser,
	}
}
