// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
