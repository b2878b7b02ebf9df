// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
)

// Inbox hands work to a controller from outside its watches: from lanes, sweeps, and the other controllers. What comes before the
// controller runs is kept until then.
type Inbox[K comparable] struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[K]
	early map[K]int
}

func newInbox[K comparable]() *Inbox[K] { return &Inbox[K]{early: map[K]int{}} }

// Source is what the controller watches.
func (d *Inbox[K]) Source() source.TypedSource[K] {
	return source.TypedFunc[K](func(_ context.Context, queue workqueue.TypedRateLimitingInterface[K]) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.queue = queue
		for key, priority := range d.early {
			Enqueue(queue, priority, key)
		}
		d.early = nil
		return nil
	})
}

// Add enqueues keys with a priority.
func (d *Inbox[K]) Add(priority int, keys ...K) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.queue != nil {
		Enqueue(d.queue, priority, keys...)
		return
	}
	for _, key := range keys {
		if before, waits := d.early[key]; !waits || before < priority {
			d.early[key] = priority
		}
	}
}

// addAfter enqueues a key later.
func (d *Inbox[K]) addAfter(delay time.Duration, key K) {
	d.mu.Lock()
	queue := d.queue
	d.mu.Unlock()
	if queue != nil {
		queue.AddAfter(key, delay)
		return
	}
	d.Add(lane.InitialList, key)
}

// drain returns when half a batch is left in the queue, or ctx ends.
func (d *Inbox[K]) drain(ctx context.Context) {
	nearlyDone := func(context.Context) (bool, error) { return d.length() <= reviewBatch/2, nil }
	_ = wait.PollUntilContextCancel(ctx, reviewPause, true, nearlyDone)
}

func (d *Inbox[K]) length() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.queue == nil {
		return len(d.early)
	}
	return d.queue.Len()
}

// Enqueue adds keys, with a priority where the queue has priorities.
func Enqueue[K comparable](queue workqueue.TypedRateLimitingInterface[K], priority int, keys ...K) {
	if prioritized, ok := queue.(priorityqueue.PriorityQueue[K]); ok {
		prioritized.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, keys...)
		return
	}
	for _, key := range keys {
		queue.Add(key)
	}
}
