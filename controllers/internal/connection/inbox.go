// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
)

// Inbox hands work to a controller from outside its watches: from lanes, sweeps, and the other controller. What comes before
// the controller runs waits at the door.
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

// drain returns when what is queued is nearly done, or ctx is.
func (d *Inbox[K]) drain(ctx context.Context) {
	ticker := time.NewTicker(reviewPause)
	defer ticker.Stop()
	for d.length() > reviewBatch/2 {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (d *Inbox[K]) length() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.queue == nil {
		return len(d.early)
	}
	return d.queue.Len()
}

// Enqueue adds with a priority where the queue knows any.
func Enqueue[K comparable](queue workqueue.TypedRateLimitingInterface[K], priority int, keys ...K) {
	if prioritized, ok := queue.(priorityqueue.PriorityQueue[K]); ok {
		prioritized.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, keys...)
		return
	}
	for _, key := range keys {
		queue.Add(key)
	}
}
