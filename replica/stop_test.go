// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package replica

import (
	"context"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache/informertest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// TestControllerRuntimeSpins reproduces decision 0023: while it passes, Run cannot just call the manager with its own context.
func TestControllerRuntimeSpins(t *testing.T) {
	filled := make(chan struct{})
	asked := make(chan struct{})
	mgr, err := ctrl.NewManager(&rest.Config{Host: "127.0.0.1:0"}, ctrl.Options{
		Metrics: metricsserver.Options{BindAddress: "0"},
		NewCache: func(*rest.Config, cache.Options) (cache.Cache, error) {
			return &emptyCache{asked: asked, filled: filled}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	<-asked // the manager waits for the cache from now on
	stop()
	before := processorTime(t)

	const enough = 500 * time.Millisecond
	deadline := time.After(20 * time.Second)
	for ticks := time.Tick(10 * time.Millisecond); processorTime(t)-before < enough; {
		select {
		case err := <-ended:
			t.Fatalf("a manager ends now though its caches are not filled (%v): look again at Run and decision 0023", err)
		case <-deadline:
			t.Fatal("a manager waits now without using the processor: look again at decision 0023")
		case <-ticks:
		}
	}

	close(filled)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// emptyCache is filled when the test says so.
type emptyCache struct {
	informertest.FakeInformers
	asked, filled chan struct{}
}

func (c *emptyCache) Start(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (c *emptyCache) WaitForCacheSync(context.Context) bool {
	close(c.asked)
	<-c.filled
	return true
}

// processorTime is what this process has used.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
