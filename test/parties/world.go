// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package parties

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

// Party works until ctx ends. Step does one thing, without a pause.
type Party interface {
	Work(ctx context.Context)
	Step(ctx context.Context)
}

// World is what the parties of a run share, and where they record what they did.
type World struct {
	// Began is the start of the run, Seed the source of everything that the parties invent.
	Began time.Time
	Seed  uint64
	// Cluster is a client with the rights of an administrator.
	Cluster client.Client
	// Endpoints are the SCIM endpoints, one for each replica. Ready returns the numbers of those that serve, as a Service knows them.
	Endpoints []*Endpoint
	Ready     func() []int

	Users  promises.History[promises.UserRequest, promises.UserAnswer]
	Groups promises.History[promises.GroupRequest, promises.GroupAnswer]
	// TurnedAway are requests that certainly had no effect, Manifests Git's writes, Edits those at LambdaTest, and Refusals the times that
	// the API server refused an intruder. Intrusions are the times that it did not, by person.
	TurnedAway, Manifests, Edits, Refusals atomic.Int64
	Intrusions                             Tally

	numbers atomic.Int64
}

// Now is the time since the start.
func (w *World) Now() promises.Moment { return time.Since(w.Began) }

// Chance is a source of randomness of its own.
func (w *World) Chance() *rand.Rand { return rand.New(rand.NewPCG(w.Seed, uint64(w.numbers.Add(1)))) }

// unique returns a text that was not used before in this run.
func (w *World) unique() string { return fmt.Sprintf("v%d", w.numbers.Add(1)) }

// replica picks a ready replica, as a Service does; sometimes any replica.
func (w *World) replica(random *rand.Rand) int {
	ready := w.Ready()
	if len(ready) == 0 || random.IntN(20) == 0 {
		return random.IntN(len(w.Endpoints))
	}
	return ready[random.IntN(len(ready))]
}

// Tally counts by name. The zero value is ready to use.
type Tally struct {
	mu     sync.Mutex
	counts map[string]int
}

// Add counts one more.
func (t *Tally) Add(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	t.counts[name]++
}

// Counts returns all counts.
func (t *Tally) Counts() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.counts)
}

// Pause waits, unless ctx ends before.
func Pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
