// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("A refusal that is a page of HTML", func() {
	const grace = "grace@example.com"
	html := simulator.Body("<html>not found</html>")

	It("is LambdaTest's, if LambdaTest answers right after it: for people", func(ctx SpecContext) {
		w := connectedWorld(ctx, simulator.Reads(simulator.Settings{"errors": "html"}))
		w.upstream.AddForeignAccount(grace)

		foreign := w.settled(ctx, MakeUser(grace).Role(v1alpha1.RoleUser))
		wanting := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser).ConcurrencyGroup("no-such-group"))

		Expect(foreign).To(BeStalled(v1alpha1.OwnedByAnotherOrganizationReason))
		Expect(wanting).To(BeStalled(v1alpha1.ConcurrencyGroupNotFoundReason))
		Expect(w.account(ada).Active).To(BeTrue())
	})

	It("is LambdaTest's, if LambdaTest answers right after it: for groups", func(ctx SpecContext) {
		w := connectedWorld(ctx, simulator.Reads(simulator.Settings{"errors": "html"}))
		w.upstream.Switch(func(s *simulator.Switches) { s.GroupsOff = true })

		group := w.pushed(ctx, MakeGroup("QA"))

		Expect(group).To(BeStalled(v1alpha1.GroupProvisioningDisabledReason))
	})

	It("is a proxy's, if nothing else is answered, either: no account counts as gone, and none is created", Label("partial-sweep"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		id := user.Status.AccountID
		w.upstream.ResetCalls()
		w.upstream.Fail(http.StatusNotFound, html)

		w.clock.Advance(time.Second)
		Expect(w.connection().Sweep(ctx)).NotTo(Succeed())
		w.handleWoken(ctx)
		user = w.changed(ctx, user, denied)
		other := w.settled(ctx, MakeUser(grace).Role(v1alpha1.RoleUser))

		Expect(user).To(BeProgressing(v1alpha1.DeniedButActiveReason))
		Expect(other).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))
		Expect(user.Status.AccountID).To(Equal(id))

		w.upstream.ClearFaults()
		w.clock.Advance(time.Minute)
		w.swept(ctx)
		Expect(w.again(ctx, user)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(ada)).To(And(HaveField("ID", id), HaveField("Active", false)))
		Expect(w.again(ctx, other)).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.upstream.Accounts()).To(HaveLen(2))
	})
})

var _ = Describe("A message about a refusal", func() {
	It("is the same whichever call is refused, so a retry writes no status", Label("idle"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser).ConcurrencyGroup("no-such-group"))
		Expect(user).To(BeStalled(v1alpha1.ConcurrencyGroupNotFoundReason))
		Expect(w.upstream.Count("POST /Users")).To(Equal(2), "one with the group, and one without it")

		w.retried(ctx, time.Minute+time.Second)

		Expect(w.upstream.Count("PATCH /Users/{id}")).To(BeNumerically(">", 0))
		Expect(Fetched(ctx, k8s, user).ResourceVersion).To(Equal(user.ResourceVersion))
	})
})
