// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("While another replica may lead", Label("failover"), func() {
	It("nothing is written in the API server, whatever somebody wants; with the lead back all of it is", func(ctx SpecContext) {
		w := newWorld(ctx)
		organized(ctx, w)
		var leads atomic.Bool
		leads.Store(true)
		runningWith(ctx, w, restConfig, func(options *Options) {
			options.LeadUntil = func() time.Time {
				if leads.Load() {
					return time.Now().Add(time.Hour)
				}
				return time.Now()
			}
		})
		user := Applied(ctx, k8s, MakeUser(ada).Role(v1alpha1.RoleUser).In(w.namespace).Obj())
		Eventually(stored(ctx, user)).Should(BeReady(v1alpha1.SyncedReason))

		leads.Store(false)
		wanted := Changed(ctx, k8s, user, wants(v1alpha1.RoleAdmin))
		another := Applied(ctx, k8s, MakeUser("grace@example.com").In(w.namespace).Obj())
		Consistently(stored(ctx, wanted)).WithTimeout(time.Second).Should(HaveField("ResourceVersion", wanted.ResourceVersion))
		Expect(Fetched(ctx, k8s, another)).To(HaveField("ResourceVersion", another.ResourceVersion))
		Expect(w.account(ada).Role).To(Equal("User"))

		leads.Store(true)
		Eventually(stored(ctx, another)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(w.account).WithArguments(ada).Should(HaveField("Role", "Admin"))
	})
})

var _ = Describe("A status that somebody else wrote over", Label("failover"), func() {
	It("is told again, of a person and of a group", func(ctx SpecContext) {
		w := newWorld(ctx)
		organized(ctx, w)
		running(ctx, w)
		user := Applied(ctx, k8s, MakeUser(ada).Role(v1alpha1.RoleUser).In(w.namespace).Obj())
		group := Applied(ctx, k8s, MakeGroup("Engineers").In(w.namespace).Obj())
		Eventually(stored(ctx, user)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(stored(ctx, group)).Should(BeReady(v1alpha1.SyncedReason))

		late := metav1.Condition{
			Type: v1alpha1.ReadyCondition, Status: metav1.ConditionFalse, Reason: v1alpha1.ProgressingReason, LastTransitionTime: metav1.Now(),
		}
		user, group = Fetched(ctx, k8s, user), Fetched(ctx, k8s, group)
		user.Status.Conditions, group.Status.Conditions = []metav1.Condition{late}, []metav1.Condition{late}
		Expect(k8s.Status().Update(ctx, user)).To(Succeed())
		Expect(k8s.Status().Update(ctx, group)).To(Succeed())

		Eventually(stored(ctx, user)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(stored(ctx, group)).Should(BeReady(v1alpha1.SyncedReason))
	})
})
