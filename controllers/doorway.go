// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// doorway hands work to a controller from outside its watches: from lanes, comparisons, and the other controller. What comes before
// the controller runs waits at the door.
type doorway[K comparable] struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[K]
	early map[K]int
}

func newDoorway[K comparable]() *doorway[K] { return &doorway[K]{early: map[K]int{}} }

// source is what the controller watches.
func (d *doorway[K]) source() source.TypedSource[K] {
	return source.TypedFunc[K](func(_ context.Context, queue workqueue.TypedRateLimitingInterface[K]) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.queue = queue
		for key, priority := range d.early {
			enqueue(queue, priority, key)
		}
		d.early = nil
		return nil
	})
}

// add enqueues keys with a priority.
func (d *doorway[K]) add(priority int, keys ...K) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.queue != nil {
		enqueue(d.queue, priority, keys...)
		return
	}
	for _, key := range keys {
		if before, waits := d.early[key]; !waits || before < priority {
			d.early[key] = priority
		}
	}
}

// addAfter enqueues a key later.
func (d *doorway[K]) addAfter(delay time.Duration, key K) {
	d.mu.Lock()
	queue := d.queue
	d.mu.Unlock()
	if queue != nil {
		queue.AddAfter(key, delay)
		return
	}
	d.add(priorityInitialList, key)
}

// drain returns when what is queued is nearly done, or ctx is.
func (d *doorway[K]) drain(ctx context.Context) {
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

func (d *doorway[K]) length() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.queue == nil {
		return len(d.early)
	}
	return d.queue.Len()
}

// enqueue adds with a priority where the queue knows any.
func enqueue[K comparable](queue workqueue.TypedRateLimitingInterface[K], priority int, keys ...K) {
	if prioritized, ok := queue.(priorityqueue.PriorityQueue[K]); ok {
		prioritized.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, keys...)
		return
	}
	for _, key := range keys {
		queue.Add(key)
	}
}
