// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("A prune of a whole organization", Label("guard", "size"), func() {
	It("takes a fifth of it, holds the rest at the price of fewer writes than people, and an approval lets exactly these go", func(ctx SpecContext) {
		const size, limit = 1000, 200
		w := newWorld(ctx, simulator.Population(size))
		for i := range size {
			name := fmt.Sprintf("user-%06d@example.com", i+1)
			Applied(ctx, k8s, MakeUser(name).Named(fmt.Sprintf("person-%06d", i+1)).In(w.namespace).Role(v1alpha1.RoleUser).Obj())
		}
		running(ctx, w)
		organized(ctx, w, func(o *OrganizationBuilder) { o.Every(time.Hour) })
		organization := MakeOrganization(DefaultOrganization).In(w.namespace).Obj()
		Eventually(stored(ctx, organization)).WithTimeout(60 * time.Second).Should(HaveField("Status.Synced", HaveValue(BeEquivalentTo(size))))
		Expect(w.upstream.Writes()).To(BeZero())
		changes, err := k8s.Watch(ctx, &v1alpha1.LambdaTestOrganizationList{}, client.InNamespace(w.namespace))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(changes.Stop)
		var writes atomic.Int64
		go func() {
			for range changes.ResultChan() {
				writes.Add(1)
			}
		}()

		begun := time.Now()
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.LambdaTestUser{}, client.InNamespace(w.namespace))).To(Succeed())

		Eventually(stored(ctx, organization)).WithTimeout(90 * time.Second).Should(HaveField("Status.Guard.Held.Count", BeEquivalentTo(size-limit)))
		AddReportEntry("from the prune until everybody else is held", time.Since(begun))
		Eventually(w.active).WithTimeout(30 * time.Second).Should(Equal(size - limit))
		AddReportEntry("writes of the organization", writes.Load())
		Expect(writes.Load()).To(BeNumerically("<", size/2))

		begun = time.Now()
		Changed(ctx, k8s, organization, func(o *v1alpha1.LambdaTestOrganization) {
			o.Annotations = map[string]string{v1alpha1.ApproveDeprovisionAnnotation: o.Status.Guard.Held.Token}
		})
		Eventually(w.active).WithTimeout(60 * time.Second).Should(BeZero())
		AddReportEntry("from the approval until all are off", time.Since(begun))
	})
})
