// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// Providers add members one at a time and in parallel, and writing a group of 10 000 takes the API server a quarter of a second. So
// changes of one group that arrive while one is being written wait, and are then written together: one read, one update. Each is still
// applied whole or not at all, and in the order of arrival. Other replicas are kept apart by the resourceVersion.

// groupBatches has a queue for every group that is being written.
type groupBatches struct {
	mu     sync.Mutex
	queues map[types.NamespacedName][]*pendingChange
}

func newGroupBatches() *groupBatches {
	return &groupBatches{queues: map[types.NamespacedName][]*pendingChange{}}
}

// pendingChange is a change and its outcome, which is there once done is closed.
type pendingChange struct {
	request *request
	change  claims.GroupChange
	done    chan struct{}

	group  *v1alpha1.LambdaTestGroup
	fields []string
	err    error
}

// join queues a change. first says that no worker has the queue: the caller has to start one.
func (b *groupBatches) join(key types.NamespacedName, p *pendingChange) (first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	queue, busy := b.queues[key]
	b.queues[key] = append(queue, p)
	return !busy
}

// take returns everything that waits, or ends the work when nothing does.
func (b *groupBatches) take(key types.NamespacedName) []*pendingChange {
	b.mu.Lock()
	defer b.mu.Unlock()
	batch := b.queues[key]
	if len(batch) == 0 {
		delete(b.queues, key)
		return nil
	}
	b.queues[key] = []*pendingChange{} // present and empty: busy
	return batch
}

// submitGroup carries out a change of a group, together with others, and returns the group afterwards and what changed.
func (s *Server) submitGroup(r *request, id string, change claims.GroupChange) (*v1alpha1.LambdaTestGroup, []string, error) {
	key := types.NamespacedName{Namespace: r.organizationKey().Namespace, Name: id}
	p := &pendingChange{request: r, change: change, done: make(chan struct{})}
	if s.batches.join(key, p) {
		go s.workOff(key)
	}
	<-p.done // bounded by what bounds the work
	return p.group, p.fields, p.err
}

// workOff writes batches until no change waits.
func (s *Server) workOff(key types.NamespacedName) {
	for batch := s.batches.take(key); batch != nil; batch = s.batches.take(key) {
		begun := time.Now()
		s.writeBatch(key, batch)
		for _, p := range batch {
			close(p.done)
		}
		if len(batch) > 1 {
			// The clients that were just answered send their next changes. Without this pause they would always meet a batch of the one change
			// that came meanwhile, and every other write of the group would be for a single change.
			time.Sleep(time.Since(begun) / gatherPart)
		}
	}
}

// writeBatch writes changes together. When that is refused, each is tried alone, so that one does not fail the others.
func (s *Server) writeBatch(key types.NamespacedName, batch []*pendingChange) {
	// Not the context of a request: a client that goes away must not end what others wait for.
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	for len(batch) > 0 {
		group := together(batch)
		err := s.protected(func() error { return s.writeTogether(ctx, key.Name, group) })
		if err != nil && len(group) > 1 && blamesOne(err) {
			group = group[:1]
			err = s.protected(func() error { return s.writeTogether(ctx, key.Name, group) })
		}
		if err != nil {
			for _, p := range group {
				p.err = err
			}
		}
		batch = batch[len(group):]
	}
}

// blamesOne tells whether an error may be the fault of a single change: a refusal, or a panic.
func blamesOne(err error) bool {
	var p *problem.Problem
	return isTooLarge(err) || apierrors.IsInvalid(err) || !errors.As(err, &p) && !isUnavailable(err)
}

// together returns the changes that may be written at once: those of one organization and without a version that the client demands,
// which each needs the group as it is stored.
func together(batch []*pendingChange) []*pendingChange {
	for i, p := range batch {
		if i > 0 && (p.change.Precondition != nil || p.request.organizationKey() != batch[0].request.organizationKey()) {
			return batch[:i]
		}
	}
	return batch
}

// protected turns a panic into an error: this runs outside of any request.
func (s *Server) protected(work func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = panicError(cause)
		}
	}()
	return work()
}

func (s *Server) writeTogether(ctx context.Context, id string, batch []*pendingChange) error {
	r := batch[0].request.within(ctx)
	err := s.retrying(ctx, "group", func() (bool, error) {
		group, err := s.liveGroup(ctx, r.organizationKey(), id)
		if err != nil {
			return true, err
		}
		wanted, err := s.applyBatch(r, group, batch) //nolint:contextcheck // r carries ctx
		if err != nil {
			return true, err
		}
		if !reflect.DeepEqual(wanted.Spec, group.Spec) {
			metav1.SetMetaDataLabel(&wanted.ObjectMeta, v1alpha1.GroupNameLabel, nameDigest(r, wanted.Spec.DisplayName))
			if err := s.update(ctx, wanted, v1alpha1.GroupKind); err != nil {
				return false, err
			}
		}
		for _, p := range batch {
			p.group = wanted
		}
		return true, nil
	})
	return orNotFound(err, "group", id)
}

// within is the request with another context.
func (r *request) within(ctx context.Context) *request {
	copied := *r
	copied.Request = r.WithContext(ctx)
	return &copied
}

// applyBatch applies the changes one after the other. One that fails keeps its error and changes nothing. Comparing members takes CPU time that
// all organizations share, so each has a few batches at most that are applied at once.
func (s *Server) applyBatch(r *request, stored *v1alpha1.LambdaTestGroup, batch []*pendingChange) (*v1alpha1.LambdaTestGroup, error) {
	if !s.turns.await(r.Context(), r.organizationKey(), 1) {
		return nil, problem.Later(http.StatusServiceUnavailable, retryAfter, "too many changes of groups at once: try again")
	}
	defer s.turns.give(r.organizationKey(), 1)
	rules := s.groupRules(r, stored)
	rules.Room = s.roomOf(r).takeGroup
	work := claims.WorkOn(stored, rules)
	for _, p := range batch {
		p.fields, p.err = work.Apply(p.request.Context(), p.change)
	}
	return work.Group, nil
}
