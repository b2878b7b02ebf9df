// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
	"github.com/lambdatest-operator/lambdatest-operator/test/simulation/apiserver"
)

// terms know which replica led when: from the writes of the lease, and from the ends of replicas. The lock of the world guards them.
type terms struct {
	world  *World
	leader string // empty when none leads
	since  promises.Moment
	past   []promises.Period
}

// leaseWritten notes who holds the lease now.
func (t *terms) leaseWritten(write apiserver.Write) {
	holder, _, _ := unstructured.NestedString(write.New, "spec", "holderIdentity")
	leader := ""
	if holder != "" {
		leader = t.world.network.NameOf(write.From)
	}
	t.change(leader)
}

// ended notes that a replica ended: if it led, nobody does.
func (t *terms) ended(name string) {
	if t.leader == name {
		t.change("")
	}
}

func (t *terms) change(leader string) {
	if leader == t.leader {
		return
	}
	now := t.world.Now()
	t.past = append(t.past, promises.Period{From: t.since, To: now, What: "leader", Whom: t.leader})
	if t.leader != "" {
		t.world.hooks.leaderLost(t.world, t.leader)
	}
	t.leader, t.since = leader, now
	t.world.trace.add("leader", leader, "leads (nobody when empty)")
}

// until are all terms, the present one included.
func (w *World) termsSoFar() []promises.Period {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append(slices.Clone(w.terms.past), promises.Period{From: w.terms.since, To: w.Now(), What: "leader", Whom: w.terms.leader})
}

// leader is the replica that leads; nil when none does.
func (w *World) leader() *replica {
	w.mu.Lock()
	name := w.terms.leader
	w.mu.Unlock()
	if name == "" {
		return nil
	}
	return w.named(name)
}
