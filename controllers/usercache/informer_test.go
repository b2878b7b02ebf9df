// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// apiServerAt is an API server that answers a watch by what time it is.
func apiServerAt(answer func(since time.Duration) error) *persistent {
	begun := time.Now()
	return &persistent{ListerWatcher: &toolscache.ListWatch{WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) {
		if err := answer(time.Since(begun)); err != nil {
			return nil, err
		}
		return watch.NewFake(), nil
	}}}
}

func TestAWatchComesBackSoonAfterTheAPIServer(t *testing.T) {
	forbidden := apierrors.NewForbidden(v1alpha1.Resource("lambdatestusers"), "", errors.New("no roles yet"))
	for name, test := range map[string]struct {
		away    time.Duration
		because error
		roles   time.Duration // how long it has none after it was away
	}{
		"refused for long":                     {5 * time.Minute, syscall.ECONNREFUSED, 0},
		"asked to wait":                        {time.Minute, apierrors.NewTooManyRequests("busy", 1), 0},
		"starting":                             {time.Minute, apierrors.NewServiceUnavailable("starting"), 0},
		"without roles, yet":                   {0, nil, 3 * time.Second},
		"refused for long, then without roles": {5 * time.Minute, syscall.ECONNREFUSED, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				server := apiServerAt(func(since time.Duration) error {
					switch {
					case since < test.away:
						return test.because
					case since < test.away+test.roles:
						return forbidden
					}
					return nil
				})
				watching, err := server.WatchWithContext(t.Context(), metav1.ListOptions{ResourceVersion: "1"})
				if err != nil {
					t.Fatal(err)
				}
				watching.Stop()
				if late := time.Since(begun) - test.away - test.roles; late > time.Second {
					t.Errorf("the watch is there %s after the API server", late)
				}
			})
		})
	}
}

func TestAWatchThatIsRefusedForGoodIsToldOf(t *testing.T) {
	gone := apierrors.NewResourceExpired("too old")
	forbidden := apierrors.NewForbidden(v1alpha1.Resource("lambdatestusers"), "", errors.New("no right"))
	for name, test := range map[string]struct {
		because error
		options metav1.ListOptions
		within  time.Duration
	}{
		"too old a version":   {gone, metav1.ListOptions{ResourceVersion: "1"}, 0},
		"no right, any more":  {forbidden, metav1.ListOptions{ResourceVersion: "1"}, watchPatience + time.Second},
		"no right from begin": {forbidden, metav1.ListOptions{SendInitialEvents: new(true)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				_, err := apiServerAt(func(time.Duration) error { return test.because }).WatchWithContext(t.Context(), test.options)
				if !errors.Is(err, test.because) {
					t.Errorf("%v, want %v", err, test.because)
				}
				if took := time.Since(begun); took > test.within {
					t.Errorf("told after %s, want %s", took, test.within)
				}
			})
		})
	}
}

// expiring is an API server that has always the same objects, and ends each watch after a while because it cannot go on from its version.
func expiring(list func() runtime.Object, lists *atomic.Int32) *toolscache.ListWatch {
	return &toolscache.ListWatch{
		ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) {
			lists.Add(1)
			return list(), nil
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			events := watch.NewFakeWithOptions(watch.FakeOptions{ChannelSize: 8})
			go func() {
				select {
				case <-ctx.Done():
				case <-time.After(5 * time.Second): // after a resync
					events.Action(watch.Error, &apierrors.NewResourceExpired("too old").ErrStatus)
				}
			}()
			if options.SendInitialEvents != nil && *options.SendInitialEvents { // the list comes as a watch
				lists.Add(1)
				objects, _ := meta.ExtractListWithAlloc(list())
				for _, object := range objects {
					events.Add(object)
				}
				end := objects[0].DeepCopyObject().(metav1.Object)
				end.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
				events.Action(watch.Bookmark, end.(runtime.Object))
			}
			return events, nil
		},
	}
}

// Handlers are not told of what a list brings in the version that they have, once a resync has told them of all that there is. So the store must
// go on with the object that they hold.
func TestAListAnewBringsNoSecondCopy(t *testing.T) {
	named := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID("uid-" + name), ResourceVersion: "5", Annotations: map[string]string{"a": "b"}}
	}
	for name, test := range map[string]struct {
		of        runtime.Object
		list      func() runtime.Object
		transform toolscache.TransformFunc
	}{
		"users": {&v1alpha1.LambdaTestUser{}, func() runtime.Object {
			return &v1alpha1.LambdaTestUserList{ListMeta: metav1.ListMeta{ResourceVersion: "9"}, Items: []v1alpha1.LambdaTestUser{
				{ObjectMeta: named("a")}, {ObjectMeta: named("b")},
			}}
		}, compactUsers()},
		"groups": {&v1alpha1.LambdaTestGroup{}, func() runtime.Object {
			return &v1alpha1.LambdaTestGroupList{ListMeta: metav1.ListMeta{ResourceVersion: "9"}, Items: []v1alpha1.LambdaTestGroup{
				{ObjectMeta: named("a")}, {ObjectMeta: named("b")},
			}}
		}, compactGroup},
		"others": {&v1alpha1.LambdaTestOrganization{}, func() runtime.Object {
			return &v1alpha1.LambdaTestOrganizationList{ListMeta: metav1.ListMeta{ResourceVersion: "9"}, Items: []v1alpha1.LambdaTestOrganization{
				{ObjectMeta: named("a")},
			}}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lists atomic.Int32
				informer := newInformer(expiring(test.list, &lists), test.of, time.Second, toolscache.Indexers{})
				if err := informer.SetTransform(test.transform); err != nil {
					t.Fatal(err)
				}
				held := map[string]any{}
				if _, err := informer.AddEventHandlerWithResyncPeriod(toolscache.ResourceEventHandlerFuncs{
					AddFunc:    func(object any) { held[object.(metav1.Object).GetName()] = object },
					UpdateFunc: func(_, object any) { held[object.(metav1.Object).GetName()] = object },
				}, 10*time.Hour); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() {
					defer close(done)
					informer.RunWithContext(ctx)
				}()
				for lists.Load() < 8 {
					time.Sleep(time.Second)
				}
				synctest.Wait()
				stored := informer.GetStore().List()
				if len(stored) == 0 || len(stored) != len(held) {
					t.Errorf("%d objects in the store, %d with the handlers", len(stored), len(held))
				}
				for _, object := range stored {
					if object != held[object.(metav1.Object).GetName()] {
						t.Errorf("after %d lists the store has another copy than the handlers", lists.Load())
					}
				}
				cancel()
				<-done
			})
		})
	}
}

// The users of a list are decoded one by one: a copy of each that is known already would be a second set of all.
func TestAListOfUsersUsesTheObjectsThatAreThere(t *testing.T) {
	user := fullUser()
	known := compacted(t, user.DeepCopy())
	from := usersOf(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(asList(t, metav1.ListMeta{}, user)))
	}, withUsersDecoded)
	informer := newInformer(from, &v1alpha1.LambdaTestUser{}, 0, toolscache.Indexers{}).(*informer)
	if err := informer.SetTransform(compactUsers()); err != nil {
		t.Fatal(err)
	}
	if err := informer.GetStore().Add(known); err != nil {
		t.Fatal(err)
	}
	from.transform = informer.source.transform
	list, err := from.ListWithContext(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	users, err := meta.ExtractListWithAlloc(list)
	if err != nil || len(users) != 1 || users[0] != runtime.Object(known) {
		t.Errorf("%v, %v: not the user that is there", users, err)
	}
}
