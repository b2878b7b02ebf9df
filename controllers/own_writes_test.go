// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// standingStill is a client whose reads show users, groups and the organization as they were, as a cache does whose watch has not
// caught up.
type standingStill struct {
	client.Client
	users  v1alpha1.LambdaTestUserList
	groups map[client.ObjectKey]*v1alpha1.LambdaTestGroup
	// organization is the only one, if it is set.
	organization *v1alpha1.LambdaTestOrganization
}

func (s *standingStill) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	if users, ok := list.(*v1alpha1.LambdaTestUserList); ok {
		s.users.DeepCopyInto(users)
		return nil
	}
	return s.Client.List(ctx, list, options...)
}

func (s *standingStill) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if group, ok := object.(*v1alpha1.LambdaTestGroup); ok && s.groups[key] != nil {
		s.groups[key].DeepCopyInto(group)
		return nil
	}
	if organization, ok := object.(*v1alpha1.LambdaTestOrganization); ok && s.organization != nil {
		s.organization.DeepCopyInto(organization)
		return nil
	}
	return s.Client.Get(ctx, key, object, options...)
}

var _ = Describe("While the cache does not show yet what was written last", func() {
	It("a person's status is compared with what is stored, so that a trouble that is over is not told for good", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		cache := &standingStill{Client: k8s, users: v1alpha1.LambdaTestUserList{Items: []v1alpha1.LambdaTestUser{*user.DeepCopy()}}}
		w.people.Client = cache
		drifted(ctx, w)
		w.upstream.FailNext(http.StatusBadGateway, simulator.On("PATCH /Users/{id}"))
		again := w.reconciled(ctx, user).RequeueAfter
		Expect(Fetched(ctx, k8s, user)).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))

		w.clock.Advance(again)
		w.reconciled(ctx, user)

		Expect(w.account(ada).Role).To(Equal("User"))
		Expect(Fetched(ctx, k8s, user)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("a group's status is compared with what is stored", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		group := Applied(ctx, k8s, MakeGroup("Engineers").In(w.namespace).Obj())
		reconciled := func() ctrl.Result {
			GinkgoHelper()
			result, err := w.groups.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(group)})
			Expect(err).NotTo(HaveOccurred())
			return result
		}
		reconciled()
		group = Fetched(ctx, k8s, group)
		Expect(group).To(BeReady(v1alpha1.SyncedReason))
		w.groups.Client = &standingStill{Client: k8s, groups: map[client.ObjectKey]*v1alpha1.LambdaTestGroup{client.ObjectKeyFromObject(group): group}}
		w.upstream.SetGroup("Engineers", []string{"Admin"})
		w.swept(ctx)
		w.upstream.FailNext(http.StatusBadGateway, simulator.On("PATCH /Groups/{id}"))
		again := reconciled().RequeueAfter
		Expect(Fetched(ctx, k8s, group)).To(BeProgressing(v1alpha1.UpstreamUnavailableReason))

		w.clock.Advance(again)
		reconciled()

		Expect(Fetched(ctx, k8s, group)).To(BeReady(v1alpha1.SyncedReason))
	})

	It("a status that another leader wrote meanwhile stays as it is", Label("failover"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.people.Client = &standingStill{Client: k8s, users: v1alpha1.LambdaTestUserList{Items: []v1alpha1.LambdaTestUser{*user.DeepCopy()}}}
		drifted(ctx, w)
		written := Fetched(ctx, k8s, user)
		written.Status.Effective.Role = v1alpha1.RoleAdmin
		Expect(k8s.Status().Update(ctx, written)).To(Succeed())
		w.people.Written.Forget(user) // by somebody else

		w.upstream.FailNext(http.StatusBadGateway, simulator.On("PATCH /Users/{id}"))
		Expect(w.reconciled(ctx, user).RequeueAfter).To(Equal(status.ConflictRetry))

		Expect(Fetched(ctx, k8s, user).Status).To(Equal(written.Status))
	})

	It("nothing is told about what somebody said meanwhile", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.people.Client = &standingStill{Client: k8s, users: v1alpha1.LambdaTestUserList{Items: []v1alpha1.LambdaTestUser{*user.DeepCopy()}}}
		drifted(ctx, w)
		w.upstream.FailNext(http.StatusBadGateway, simulator.On("PATCH /Users/{id}"))
		again := w.reconciled(ctx, user).RequeueAfter
		changed := Changed(ctx, k8s, user, wants(v1alpha1.RoleAdmin))

		w.clock.Advance(again)
		Expect(w.reconciled(ctx, user).RequeueAfter).To(Equal(status.ConflictRetry))

		Expect(Fetched(ctx, k8s, changed).Status.ObservedGeneration).To(Equal(user.Generation))
	})
})

var _ = Describe("A claim that goes while an opened connection recalls what statuses remember", func() {
	It("leaves nothing in memory", Label("failover"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		w.restart()
		w.cached.WithWatch = interceptor.NewClient(k8s, interceptor.Funcs{
			List: func(ctx context.Context, k8s client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
				defer func() {
					w.people.Client = &standingStill{Client: k8s} // the cache shows that the claim is gone
					w.reconciled(ctx, user)
				}()
				return k8s.List(ctx, list, options...)
			},
		})

		w.connected(ctx, DefaultOrganization)

		counts, _ := w.connection().Census.Counts()
		Expect(counts.People).To(BeZero())
		Expect(w.connection().Accounts.Size()).To(BeZero())
	})
})

var _ = Describe("A resource that goes while its status is written", func() {
	var written *status.Writes
	var user *v1alpha1.LambdaTestUser
	BeforeEach(func(ctx SpecContext) {
		written = &status.Writes{}
		user = Applied(ctx, k8s, MakeUser(ada).In(Namespace(ctx, k8s)).Obj())
	})

	It("is forgotten when the answer comes after the event of its deletion", func() {
		written.Sending(user)
		written.Forget(user)
		written.Answered(user)

		Expect(written.Sent).To(BeEmpty())
	})

	It("is forgotten when the answer is that it is gone", func(ctx SpecContext) {
		Deleted(ctx, k8s, user)
		updated := user.DeepCopy()
		updated.Status.AccountID = "1"

		Expect(written.Patch(ctx, k8s, user, updated)).To(Succeed())

		Expect(written.Sent).To(BeEmpty())
	})

	It("is forgotten when a read shows that it is gone", func(ctx SpecContext) {
		written.Sending(user)
		Deleted(ctx, k8s, user)

		Expect(written.Refresh(ctx, k8s, user.DeepCopy())).To(MatchError(apierrors.IsNotFound, "IsNotFound"))

		Expect(written.Sent).To(BeEmpty())
	})

	It("is forgotten when a read shows another one in its place, which nothing was decided about", func(ctx SpecContext) {
		written.Sending(user)
		Deleted(ctx, k8s, user)
		Applied(ctx, k8s, MakeUser(ada).In(user.Namespace).Obj())

		Expect(written.Refresh(ctx, k8s, user.DeepCopy())).To(MatchError(apierrors.IsConflict, "IsConflict"))

		Expect(written.Sent).To(BeEmpty())
	})
})

// drifted lets somebody change ada's role at LambdaTest, and a sweep notice.
func drifted(ctx context.Context, w *world) {
	GinkgoHelper()
	_, err := w.upstream.EditAccount(ada, func(a *simulator.Account) { a.Role = "Guest" })
	Expect(err).NotTo(HaveOccurred())
	w.clock.Advance(time.Second)
	Expect(w.connection().Sweep(ctx)).To(Succeed())
}
