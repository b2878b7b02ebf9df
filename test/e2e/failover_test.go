// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// takeover is the promised time for a denial after the leader died: the lease duration plus ten seconds.
const takeover = 15*time.Second + 10*time.Second

// releasedTakeover bounds the time until another replica leads after the lease was released. Without a release it takes 15 seconds.
const releasedTakeover = 10 * time.Second

var _ = Describe("when the leader is stopped", Label("failover"), func() {
	It("it releases the lease, and the other replica leads at once", func(ctx SpecContext) {
		w := newWorld(ctx, every(tenMinutes))
		leader := w.theLeader(ctx)

		Expect(leader.Signal(syscall.SIGTERM)).To(Succeed())
		DeferCleanup(leader.Start)

		Eventually(leader.Ended()).Should(BeClosed())
		Eventually(w.leader(ctx), releasedTakeover).ShouldNot(BeNil(), "the replica that ended must not answer")
	})
})

var _ = Describe("when the leader is killed", Label("deny-wins", "failover"), func() {
	It("the other replica carries out an acknowledged denial that the leader was carrying out", func(ctx SpecContext) {
		w := newWorld(ctx, every(tenMinutes))
		ada := w.address("ada")
		id := w.provisioned(ctx, ada)
		leader := w.theLeader(ctx)
		hold := w.LambdaTest.HoldNext(simulator.On(updateUser))

		w.deny(ctx, id)
		Eventually(hold.Arrived()).Should(Receive())
		leader.Kill()
		DeferCleanup(leader.Start)

		died := time.Now()
		Eventually(w.account(ada), takeover).Should(beInactive())
		AddReportEntry("carried out after the leader's death", time.Since(died).Round(time.Millisecond).String())
		Expect(w.theLeader(ctx).Name()).NotTo(Equal(leader.Name()))
		Eventually(w.user(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
	})

	It("the identity provider can continue, and the other replica carries out its changes", func(ctx SpecContext) {
		w := newWorld(ctx, every(tenMinutes))
		ada, bob := w.address("ada"), w.address("bob")
		id := w.provisioned(ctx, ada)
		leader := w.theLeader(ctx)

		leader.Kill()
		DeferCleanup(leader.Start)
		w.deny(ctx, id)
		w.provision(ctx, bob)

		Eventually(w.account(ada), takeover).Should(beInactive())
		Eventually(w.account(bob)).Should(beActive())
		Expect(w.LambdaTest.Count(createUser)).To(Equal(2))
	})

	It("its activation that takes effect late is undone, because the person is denied", Label("slow"), func(ctx SpecContext) {
		slowly()
		w := newWorld(ctx, every(tenMinutes))
		ada := w.address("ada")
		id := w.provisioned(ctx, ada)
		leader := w.theLeader(ctx)
		leader.Kill()
		DeferCleanup(leader.Start)
		w.deny(ctx, id)
		Eventually(w.account(ada), takeover).Should(beInactive())

		before := len(w.callsFor(ada))

		w.edit(ada, activated) // as a last call of the dead leader would

		Eventually(w.account(ada), "40s").Should(beInactive())
		Eventually(func() int { return len(w.callsFor(ada)) }, "40s").Should(BeNumerically(">", before), "the account must be read back")
	})
})

var _ = Describe("while no replica runs", Label("deletion", "failover"), func() {
	It("a deleted resource stays; when the operator runs again, the account is deactivated and the resource is deleted", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada := w.address("ada")
		declared := w.declare(ctx, ada)
		Eventually(w.user(ctx, declared.Name)).Should(BeReady(v1alpha1.SyncedReason))
		sideBySide(w.env.Replicas, func(replica *environment.Replica) { replica.Stop() })

		w.prune(ctx, declared)

		Expect(w.readerOf(ctx, declared)()).To(Succeed())
		sideBySide(w.env.Replicas, func(replica *environment.Replica) { Expect(replica.Start(ctx)).To(Succeed()) })
		Eventually(w.readerOf(ctx, declared)).Should(beGone())
		Expect(w.account(ada)()).To(beInactive())
	})
})

var _ = Describe("a leader that was paused until another took over", Label("deny-wins", "failover", "slow"), func() {
	It("makes no call when it continues", func(ctx SpecContext) {
		slowly()
		w := newWorld(ctx, every(tenMinutes))
		ada := w.address("ada")
		id := w.provisioned(ctx, ada, withRole("Admin"))
		former := w.theLeader(ctx)
		Expect(former.Signal(syscall.SIGSTOP)).To(Succeed())
		Eventually(w.leader(ctx), takeover).ShouldNot(Equal(former))
		w.denyAt(ctx, w.theLeader(ctx), id)
		Eventually(w.account(ada), takeover).Should(beInactive())
		before := w.LambdaTest.Writes()

		Expect(former.Signal(syscall.SIGCONT)).To(Succeed())

		Eventually(former.Ended(), "20s").Should(BeClosed(), "a replica that lost the lead must exit, so that it is restarted")
		DeferCleanup(former.Start)
		Expect(w.LambdaTest.Writes()).To(Equal(before))
		Expect(w.account(ada)()).To(beInactive())
	})
})
