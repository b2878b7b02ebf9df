// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package deletion

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// The definitions whose deletion takes all people, or all groups, along; and the kinds that may be asked about.
var (
	UsersCRD       = v1alpha1.Resource("lambdatestusers").String()
	GroupsCRD      = v1alpha1.Resource("lambdatestgroups").String()
	DefinitionKind = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}
	NamespaceKind  = corev1.SchemeGroupVersion.WithKind("Namespace")
)

// Terminations tells whether namespaces and definitions are being deleted. Of all who ask while the API server is being asked, the next
// one asks for the others as well: a mass deletion costs a read for each batch of workers, and not for each person.
//
// An answer is never older than the question. It could be wrong otherwise: a definition is marked as being deleted only a moment before
// the first of its resources is, so that an answer of a second ago would let an uninstalled chart deactivate people.
type Terminations struct {
	mu     sync.Mutex
	byName map[schema.GroupVersionKind]map[string]*termination
}

type termination struct {
	// reading is held while the API server is asked.
	reading sync.Mutex

	mu          sync.Mutex
	begun       int
	terminating bool
	err         error
}

// New returns terminations of which nothing was asked.
func New() *Terminations {
	return &Terminations{byName: map[schema.GroupVersionKind]map[string]*termination{}}
}

// Of tells whether an object without namespace is being deleted.
func (t *Terminations) Of(ctx context.Context, live client.Reader, name string, kind schema.GroupVersionKind) (bool, error) {
	known := t.find(name, kind)
	return known.since(known.reads(), func() (bool, error) { return isTerminating(ctx, live, name, kind) })
}

// Any tells whether a namespace, or one of these definitions, is being deleted.
func (t *Terminations) Any(ctx context.Context, live client.Reader, namespace string, definitions ...string) (bool, error) {
	if terminating, err := t.Of(ctx, live, namespace, NamespaceKind); err != nil || terminating {
		return terminating, err
	}
	for _, definition := range definitions {
		if terminating, err := t.Of(ctx, live, definition, DefinitionKind); err != nil || terminating {
			return terminating, err
		}
	}
	return false, nil
}

// since returns the answer of a read that began after so many others; if there is none yet, it reads.
func (t *termination) since(reads int, read func() (bool, error)) (bool, error) {
	t.reading.Lock()
	defer t.reading.Unlock()
	if t.reads() == reads {
		t.begin()
		t.terminating, t.err = read()
	}
	return t.terminating, t.err
}

func (t *Terminations) find(name string, kind schema.GroupVersionKind) *termination {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byName[kind] == nil {
		t.byName[kind] = map[string]*termination{}
	}
	if t.byName[kind][name] == nil {
		t.byName[kind][name] = &termination{}
	}
	return t.byName[kind][name]
}

// reads counts how often the API server was asked, the question under way included.
func (t *termination) reads() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.begun
}

func (t *termination) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begun++
}

// isTerminating asks the API server. When that is not ours to know, the object is not being deleted, and the guard decides.
func isTerminating(ctx context.Context, live client.Reader, name string, kind schema.GroupVersionKind) (bool, error) {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(kind)
	err := live.Get(ctx, types.NamespacedName{Name: name}, object)
	switch {
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading whether %s is being deleted: %w", kind.Kind, err)
	}
	return !object.DeletionTimestamp.IsZero(), nil
}
