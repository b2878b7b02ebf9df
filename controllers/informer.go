// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

const (
	// watchPause is how long a watch that the API server did not take waits before it is tried again, and watchJitter how much longer it
	// may be, as a part of it.
	watchPause  = 500 * time.Millisecond
	watchJitter = 0.5
	// watchPatience is how long an API server may say that a watch which worked before is forbidden: one that has just started does not
	// know the roles yet.
	watchPatience = 5 * time.Second
)

// NewInformer is for cache.Options: its informers come back soon after the API server does. client-go doubles its pause with every watch
// that is refused, up to a minute, and a denial that was acknowledged meanwhile would not be seen before.
func NewInformer(from toolscache.ListerWatcher, of runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
	_, users := of.(*v1alpha1.LambdaTestUser)
	return toolscache.NewSharedIndexInformer(persistent{from, users}, of, resync, indexers)
}

// persistent repeats a watch at an even pace for as long as the API server cannot be reached or asks to wait. Anything else is client-go's.
type persistent struct {
	toolscache.ListerWatcher
	users bool
}

// ListWithContext implements cache.ListerWatcherWithContext.
func (p persistent) ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	return toolscache.ToListerWithContext(p.ListerWatcher).ListWithContext(ctx, options)
}

// WatchWithContext implements cache.ListerWatcherWithContext.
func (p persistent) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	lastAway, continues := time.Now(), options.SendInitialEvents == nil
	for {
		watching, err := p.watch(ctx, options)
		startsUp := continues && apierrors.IsForbidden(err) && time.Since(lastAway) < watchPatience
		switch {
		case err != nil && isAway(err):
			lastAway = time.Now()
		case err == nil || !startsUp:
			return watching, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait.Jitter(watchPause, watchJitter)):
		}
	}
}

func (p persistent) watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	start := func(ctx context.Context) (watch.Interface, error) {
		return toolscache.ToWatcherWithContext(p.ListerWatcher).WatchWithContext(ctx, options)
	}
	if p.users {
		return watchUsers(ctx, start)
	}
	return start(ctx)
}

// isAway tells whether the API server does not answer, or not yet.
func isAway(err error) bool {
	return utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) || utilnet.IsTimeout(err) ||
		apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsServerTimeout(err)
}
