// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

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
	// watchPause is how long a list or a watch that the API server did not accept waits for the next try, and watchJitter how much longer
	// the pause may be, as a part of it.
	watchPause  = 500 * time.Millisecond
	watchJitter = 0.5
	// watchPatience is how long an API server may forbid a watch that worked before: one that has just started does not know the roles
	// yet.
	watchPatience = 5 * time.Second
)

// pageSize is how many users a list asks for at a time where the API server cannot send all of them at once.
const pageSize = 500

// newInformer is for cache.Options: its informers list and watch again soon after the API server is back. client-go doubles its pause with
// every watch that is refused, up to a minute; a denial that was acknowledged meanwhile would be seen that late. Users are decoded here,
// where withUsersDecoded is in the transport.
func newInformer(from toolscache.ListerWatcher, of runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
	source := &persistent{ListerWatcher: from}
	_, source.users = of.(*v1alpha1.LambdaTestUser)
	return &informer{toolscache.NewSharedIndexInformer(source, of, resync, indexers), source}
}

// informer keeps its objects when it lists again. client-go replaces each by an equal copy and does not tell the handlers, so that a handler
// that holds the objects would hold a second copy of all of them.
type informer struct {
	toolscache.SharedIndexInformer
	source *persistent
}

// SetTransform implements cache.SharedIndexInformer. An object that is stored is not transformed again: readers look at it.
func (i *informer) SetTransform(transform toolscache.TransformFunc) error {
	i.source.transform = func(object any) (any, error) {
		if stored := i.stored(object); stored != nil {
			return stored, nil
		}
		if transform == nil {
			return object, nil
		}
		return transform(object)
	}
	return i.SharedIndexInformer.SetTransform(i.source.transform)
}

// stored returns the object that the informer has in the same version, or nil.
func (i *informer) stored(object any) any {
	fresh, ok := object.(metav1.Object)
	if !ok || fresh.GetResourceVersion() == "" {
		return nil
	}
	stored, _, _ := i.GetStore().Get(object) // without the object on an error
	known, ok := stored.(metav1.Object)
	if ok && known.GetUID() == fresh.GetUID() && known.GetResourceVersion() == fresh.GetResourceVersion() {
		return stored
	}
	return nil
}

// persistent repeats a list or a watch at an even pace for as long as the API server cannot be reached or asks to wait. It leaves all other
// errors to client-go.
type persistent struct {
	toolscache.ListerWatcher
	users bool
	// transform is what the informer does with each user, here as soon as the user is decoded.
	transform toolscache.TransformFunc
	// inPages says that the last list of users was not the last page, or was cut, as an API server does that needs more than a minute for
	// it. The reflector makes one list at a time, so no lock is needed.
	inPages bool
}

// IsWatchListSemanticsUnSupported tells client-go to list users and then watch, in place of a watch that begins with all of them.
func (p *persistent) IsWatchListSemanticsUnSupported() bool { return p.users }

// ListWithContext implements cache.ListerWatcherWithContext.
func (p *persistent) ListWithContext(ctx context.Context, options metav1.ListOptions) (list runtime.Object, err error) {
	lister := toolscache.ToListerWithContext(p.ListerWatcher)
	if !p.users {
		return lister.ListWithContext(ctx, options)
	}
	// The latest state, since an older one may lack what this replica, or another, has acted on.
	options.ResourceVersion, options.ResourceVersionMatch = "", ""
	err = persist(ctx, false, func() error {
		options.Limit = 0
		if p.inPages {
			options.Limit = pageSize
		}
		var more bool
		list, more, err = listUsers(ctx, p.transform, func(ctx context.Context) (runtime.Object, error) { return lister.ListWithContext(ctx, options) })
		p.inPages = more || p.inPages && err != nil
		return err
	})
	return list, err
}

// WatchWithContext implements cache.ListerWatcherWithContext.
func (p *persistent) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watching watch.Interface, err error) {
	start := func(ctx context.Context) (watch.Interface, error) {
		return toolscache.ToWatcherWithContext(p.ListerWatcher).WatchWithContext(ctx, options)
	}
	err = persist(ctx, options.SendInitialEvents == nil, func() error {
		if p.users {
			watching, err = watchUsers(ctx, start)
		} else {
			watching, err = start(ctx)
		}
		return err
	})
	return watching, err
}

// persist tries again until the API server answers. If it answered before, it also gets time to load the roles.
func persist(ctx context.Context, before bool, try func() error) error {
	lastAway := time.Now()
	for {
		err := try()
		startsUp := before && apierrors.IsForbidden(err) && time.Since(lastAway) < watchPatience
		switch {
		case err != nil && isAway(err):
			lastAway = time.Now()
		case err == nil || !startsUp:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait.Jitter(watchPause, watchJitter)):
		}
	}
}

// isAway tells whether the API server does not answer, or not yet.
func isAway(err error) bool {
	return utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) || utilnet.IsTimeout(err) ||
		apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsServerTimeout(err)
}
