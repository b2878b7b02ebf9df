// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package deletion

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// The definitions whose deletion deletes all users, or all groups; and the kinds that may be asked about.
var (
	UsersCRD       = v1alpha1.Resource("lambdatestusers").String()
	GroupsCRD      = v1alpha1.Resource("lambdatestgroups").String()
	DefinitionKind = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}
	NamespaceKind  = corev1.SchemeGroupVersion.WithKind("Namespace")
)

// Terminations tells whether namespaces and definitions are being deleted. One read answers all who asked before it began: a mass deletion
// costs a read for each batch of workers, and not for each person.
//
// An answer is never older than the question. It could be wrong otherwise: a definition is marked as being deleted only a moment before
// the first of its resources is, so that an answer of a second ago would let an uninstalled chart deactivate people.
type Terminations struct {
	// bySubject has the termination of each object that was asked about.
	bySubject sync.Map
}

type subject struct {
	schema.GroupVersionKind
	name string
}

type termination struct {
	// reads counts how often the API server was asked, the question under way included.
	reads atomic.Int64

	// turn holds a value while the API server is asked, and guards what follows. It is no mutex: who waits for it stops when its context ends.
	turn        chan struct{}
	terminating bool
	err         error
}

func newTermination() *termination { return &termination{turn: make(chan struct{}, 1)} }

// New returns terminations of which nothing was asked.
func New() *Terminations { return &Terminations{} }

// Of tells whether an object without namespace is being deleted.
func (t *Terminations) Of(ctx context.Context, live client.Reader, name string, kind schema.GroupVersionKind) (bool, error) {
	found, _ := t.bySubject.LoadOrStore(subject{kind, name}, newTermination())
	known := found.(*termination)
	return known.since(ctx, known.reads.Load(), func() (bool, error) { return isTerminating(ctx, live, name, kind) })
}

// Any tells whether a namespace, or one of these definitions, is being deleted.
func (t *Terminations) Any(ctx context.Context, live client.Reader, namespace string, definitions ...string) (bool, error) {
	terminating, err := t.Of(ctx, live, namespace, NamespaceKind)
	for _, definition := range definitions {
		if err != nil || terminating {
			break
		}
		terminating, err = t.Of(ctx, live, definition, DefinitionKind)
	}
	return terminating, err
}

// since returns the answer of a read that began after so many others; if there is none yet, it reads.
func (t *termination) since(ctx context.Context, reads int64, read func() (bool, error)) (bool, error) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-t.turn }()
	if t.reads.Load() == reads {
		t.reads.Add(1)
		t.terminating, t.err = read()
	}
	return t.terminating, t.err
}

// isTerminating asks the API server. Where the operator may not read the object, it counts as not being deleted, and the guard decides.
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
