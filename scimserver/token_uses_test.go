// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver"
)

var _ = Describe("The use of a token", func() {
	lastUse := func(ctx context.Context, t *tenant) func() map[string]metav1.Time {
		return func() map[string]metav1.Time {
			organization := &v1alpha1.LambdaTestOrganization{}
			if err := k8s.Get(ctx, client.ObjectKeyFromObject(t.organization), organization); err != nil {
				return nil
			}
			return organization.Status.SCIMTokenLastUse
		}
	}

	// known adds a token that no other replica is asked with, and waits until the replica knows it.
	known := func(ctx context.Context, t *tenant, r *replica) string {
		GinkgoHelper()
		token := strings.Repeat("z", 40) + t.token
		t.writeSecret(ctx, map[string]string{"okta": t.token, "next": token}, nil)
		Eventually(func() int { return t.ask(r, "GET", "/Users", "", "Authorization: Bearer "+token).status }).Should(Equal(200))
		return token
	}

	It("is recorded in the organization's status to the hour, with one write an hour", func(ctx SpecContext) {
		clock, hour := &movableClock{}, time.Date(2031, 5, 6, 7, 0, 0, 0, time.UTC)
		clock.set(hour.Add(8 * time.Minute))
		counting := &countingStatus{Client: k8s}
		r := startReplica(scimserver.Options{Client: counting, Reader: k8s, Now: clock.now})
		DeferCleanup(func() { r.stop() })
		t := newTenant(ctx)
		token := known(ctx, t, r)
		used := func() {
			GinkgoHelper()
			for range 20 {
				Expect(t.ask(r, "GET", "/Users", "", "Authorization: Bearer "+token).status).To(Equal(200))
			}
		}

		used()
		Eventually(lastUse(ctx, t)).Should(HaveKeyWithValue("next", HaveField("Time", BeTemporally("==", hour))))
		clock.set(hour.Add(59 * time.Minute))
		used()
		clock.set(hour.Add(61 * time.Minute))
		used()
		Eventually(lastUse(ctx, t)).Should(HaveKeyWithValue("next", HaveField("Time", BeTemporally("==", hour.Add(time.Hour)))))

		Expect(counting.patches.Load()).To(BeEquivalentTo(2))
	})

	It("is not recorded for a token that is refused", func(ctx SpecContext) {
		counting := &countingStatus{Client: k8s}
		r := startReplica(scimserver.Options{Client: counting, Reader: k8s})
		DeferCleanup(func() { r.stop() })
		t := newTenant(ctx)
		Expect(t.ask(r, "GET", "/Users", "", "Authorization: Bearer "+strings.Repeat("n", 60)).status).To(Equal(401))
		known(ctx, t, r)
		Eventually(lastUse(ctx, t)).Should(HaveKey("next"))
		Expect(counting.patches.Load()).To(BeEquivalentTo(1), "uses are written in their order")
	})
})

var _ = Describe("What is wrong with a token", func() {
	It("is an event of the leader alone, and of the one that takes the lead later", func(ctx SpecContext) {
		elected := make(chan struct{})
		r := startReplica(scimserver.Options{Elected: elected})
		DeferCleanup(func() { r.stop() })
		t := newTenant(ctx)
		t.writeSecret(ctx, map[string]string{"okta": t.token, "short": "too short"}, nil)
		Eventually(func() []string { return r.log.with("SCIM token", t.organization.Namespace, "TokenIgnored") }).ShouldNot(BeEmpty())
		Expect(r.events.Events).To(BeEmpty())

		close(elected)
		Eventually(r.events.Events).Should(Receive(And(ContainSubstring("TokenIgnored"), ContainSubstring("short"))))
	})
})

// countingStatus counts the writes of status.
type countingStatus struct {
	client.Client
	patches atomic.Int32
}

func (c *countingStatus) Status() client.SubResourceWriter {
	return countingWriter{c.Client.Status(), &c.patches}
}

type countingWriter struct {
	client.SubResourceWriter
	patches *atomic.Int32
}

func (w countingWriter) Patch(ctx context.Context, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
	w.patches.Add(1)
	return w.SubResourceWriter.Patch(ctx, object, patch, options...)
}

// movableClock stands still until it is moved.
type movableClock struct{ at atomic.Pointer[time.Time] }

func (c *movableClock) now() time.Time   { return *c.at.Load() }
func (c *movableClock) set(to time.Time) { c.at.Store(&to) }
