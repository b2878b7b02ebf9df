// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/connection"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// watched is a world whose operator runs. A spec that holds writing is faster than the operator's patches.
type watched struct {
	*world
	writing sync.RWMutex
}

// vanishing is a world whose operator runs, and has led for so long that no former leader writes any more.
func vanishing(ctx context.Context, change ...func(*OrganizationBuilder)) *watched {
	GinkgoHelper()
	w := &watched{world: newWorld(ctx)}
	var later atomic.Int64
	config := rest.CopyConfig(restConfig)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			if request.Method == http.MethodPatch {
				w.writing.RLock()
				defer w.writing.RUnlock()
			}
			return next.RoundTrip(request)
		})
	})
	runningWith(ctx, w.world, config, func(options *Options) {
		options.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	organized(ctx, w.world, change...)
	Eventually(stored(ctx, w.organization())).Should(BeReady(v1alpha1.SyncedReason))
	later.Store(int64(time.Minute))
	return w
}

func (w *world) organization() *v1alpha1.LambdaTestOrganization {
	return MakeOrganization(DefaultOrganization).In(w.namespace).Obj()
}

// staff are that many people who are settled, and get their role from a group if there is one.
func (w *watched) staff(ctx context.Context, n int, role v1alpha1.Role) []*v1alpha1.LambdaTestUser {
	GinkgoHelper()
	people := make([]*v1alpha1.LambdaTestUser, n)
	for i := range people {
		people[i] = Applied(ctx, k8s, MakeUser(fmt.Sprintf("person-%d@example.com", i)).In(w.namespace).Role(role).Obj())
	}
	for _, person := range people {
		Eventually(stored(ctx, person)).Should(BeReady(v1alpha1.SyncedReason))
	}
	return people
}

// stripped removes the operator's finalizer, as kubectl would.
func stripped[T client.Object](ctx context.Context, object T) T {
	GinkgoHelper()
	return Changed(ctx, k8s, object, func(o T) { controllerutil.RemoveFinalizer(o, v1alpha1.Finalizer) })
}

// vanished removes a resource before the operator can put its finalizer back.
func (w *watched) vanished(ctx context.Context, object client.Object) {
	GinkgoHelper()
	w.writing.Lock()
	defer w.writing.Unlock()
	stripped(ctx, object)
	Deleted(ctx, k8s, object)
	Expect(Exists(ctx, k8s, object)).To(BeFalse())
}

// counted is how many people the guard counts in the current hour.
func (w *world) counted(ctx context.Context) func(Gomega) int {
	return func(g Gomega) int {
		if state := stored(ctx, w.organization())(g).Status.Guard; state != nil {
			return int(state.Deprovisioned)
		}
		return 0
	}
}

// reported are the events about the organization that a resource disappeared, by the name of the resource.
func (w *watched) reported(ctx context.Context) func(Gomega) map[string]string {
	return func(g Gomega) map[string]string {
		var all eventsv1.EventList
		g.Expect(k8s.List(ctx, &all, client.InNamespace(w.namespace))).To(Succeed())
		notes := map[string]string{}
		for _, event := range all.Items {
			if event.Reason == "Vanished" && event.Regarding.Kind == v1alpha1.OrganizationKind && event.Type == "Warning" {
				notes[event.Related.Kind+"/"+event.Related.Name] = event.Note
			}
		}
		return notes
	}
}

var _ = Describe("A resource that disappears although the operator did not remove its finalizer", Label("guard", "security"), func() {
	It("is counted and reported, of a person who is not being deleted", func(ctx SpecContext) {
		w := vanishing(ctx)
		gone := w.staff(ctx, 2, v1alpha1.RoleUser)[0]

		w.vanished(ctx, gone)

		Eventually(w.counted(ctx)).Should(Equal(1))
		Eventually(w.reported(ctx)).Should(HaveKeyWithValue("LambdaTestUser/"+gone.Name, ContainSubstring("another client removed its finalizer")))
	})

	It("is counted and reported while the guard holds it, and makes the guard hold sooner", func(ctx SpecContext) {
		w := vanishing(ctx, guarding(0, 25))
		people := w.staff(ctx, 8, v1alpha1.RoleUser) // two may go
		for _, person := range people[:4] {
			Deleted(ctx, k8s, person)
		}
		Eventually(stored(ctx, w.organization())).Should(HaveField("Status.Guard.Held.Count", BeEquivalentTo(2)))
		held := stored(ctx, w.organization())(Default).Status.Guard.Held.People

		for _, name := range held {
			stripped(ctx, MakeUser(name).Named(name).In(w.namespace).Obj())
		}

		Eventually(w.counted(ctx)).Should(Equal(4))
		Eventually(w.reported(ctx)).Should(HaveLen(2))
		Eventually(stored(ctx, w.organization())).Should(HaveField("Status.Guard.Held", BeNil()))
	})

	It("makes the guard hold who would have been within the limit", func(ctx SpecContext) {
		w := vanishing(ctx, guarding(0, 25))
		people := w.staff(ctx, 8, v1alpha1.RoleUser) // two may go
		for _, person := range people[:2] {
			w.vanished(ctx, person)
		}
		Eventually(w.counted(ctx)).Should(Equal(2))

		Deleted(ctx, k8s, people[2])

		Eventually(stored(ctx, people[2])).Should(BeStalled(v1alpha1.DeprovisionHeldReason))
	})

	It("is counted with its members, of a group that gives a role", func(ctx SpecContext) {
		w := vanishing(ctx)
		people := w.staff(ctx, 3, "")
		group := Applied(ctx, k8s, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(people[0].Spec.UserName, people[1].Spec.UserName, people[2].Spec.UserName).In(w.namespace).Obj())
		Eventually(stored(ctx, group)).Should(BeReady(v1alpha1.SyncedReason))

		w.vanished(ctx, group)

		Eventually(w.counted(ctx)).Should(Equal(3))
		Eventually(w.reported(ctx)).Should(HaveKeyWithValue("LambdaTestGroup/"+group.Name, ContainSubstring("its 3 members")))
	})

	It("is counted once, when another finalizer keeps it a little longer", func(ctx SpecContext) {
		w := vanishing(ctx, guarding(0, 0))
		person := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleUser).Finalized("example.com/other").Obj())
		group := MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(ada).In(w.namespace).Obj()
		group.Finalizers = []string{"example.com/other"}
		Applied(ctx, k8s, group)
		Eventually(stored(ctx, person)).Should(BeReady(v1alpha1.SyncedReason))
		Eventually(stored(ctx, group)).Should(BeReady(v1alpha1.SyncedReason))
		w.upstream.Fail(500) // no group is released before its finalizer is removed here

		for _, object := range []client.Object{person, group} {
			Deleted(ctx, k8s, object)
			stripped(ctx, object)
		}
		Eventually(w.reported(ctx)).Should(HaveLen(2))
		for _, object := range []client.Object{person, group} {
			Changed(ctx, k8s, object, func(o client.Object) { o.SetFinalizers(nil) })
		}

		Eventually(func() bool { return Exists(ctx, k8s, person) || Exists(ctx, k8s, group) }).Should(BeFalse())
		Eventually(w.counted(ctx)).Should(Equal(2))
		Consistently(w.counted(ctx)).WithTimeout(time.Second).Should(Equal(2))
	})

	It("raises the number of withdrawn denials, when it denied a person whom another resource claims", Label("deny-wins"), func(ctx SpecContext) {
		w := vanishing(ctx)
		declared := Applied(ctx, k8s, MakeUser(ada).In(w.namespace).Role(v1alpha1.RoleUser).Obj())
		denial := Applied(ctx, k8s, MakeUser(ada).FromSCIM().Denied().In(w.namespace).Obj())
		Eventually(stored(ctx, declared)).Should(BeReady(v1alpha1.DeniedByAnotherClaimReason))
		connection.DenialsWithdrawn.WithLabelValues(w.namespace, DefaultOrganization) // begins with zero
		withdrawn := func() float64 { return measured(w.world, "lambdatest_denials_withdrawn_total") }
		Expect(withdrawn()).To(BeZero())

		w.vanished(ctx, denial)

		Eventually(withdrawn).Should(BeEquivalentTo(1))
		Eventually(w.counted(ctx)).Should(Equal(1))
	})

	It("is not what the operator released, nor what it had not taken charge of", func(ctx SpecContext) {
		w := vanishing(ctx, guarding(10, 50))
		people := w.staff(ctx, 4, v1alpha1.RoleUser)
		group := Applied(ctx, k8s, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(people[3].Spec.UserName).In(w.namespace).Obj())
		Eventually(stored(ctx, group)).Should(BeReady(v1alpha1.SyncedReason))
		observer := Applied(ctx, k8s, MakeUser("grace@example.com").Observing().In(w.namespace).Obj())
		Eventually(stored(ctx, observer)).Should(BeReady(v1alpha1.ObservedReason))

		for _, object := range []client.Object{people[0], group, observer} {
			Deleted(ctx, k8s, object)
			Eventually(func() bool { return Exists(ctx, k8s, object) }).Should(BeFalse())
		}

		Consistently(w.counted(ctx)).WithTimeout(2 * time.Second).Should(BeNumerically("<=", 1))
		Expect(w.reported(ctx)(Default)).To(BeEmpty())
	})

	It("is not counted while it may be a former leader that released it", Label("failover"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		gone := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser).Finalized("example.com/other"))
		Deleted(ctx, k8s, gone)
		gone = Fetched(ctx, k8s, gone)
		report := func(object client.Object, unseen bool) bool {
			return w.connections.ReportVanished(ctx, connection.Vanished{
				Object: object, Organization: client.ObjectKeyFromObject(w.organization()), People: 1, Unseen: unseen, Note: "It disappeared.",
			})
		}
		living := gone.DeepCopy()
		living.DeletionTimestamp = nil

		Expect(report(gone, false)).To(BeFalse())
		Expect(report(living, true)).To(BeFalse())
		Expect(report(living, false)).To(BeTrue())
		w.clock.Advance(time.Minute)
		Expect(report(gone, false)).To(BeTrue())
		w.answered(ctx)
		Expect(w.counted(ctx)(Default)).To(Equal(2))
		Expect(w.events()).To(ContainElement("Warning Vanished It disappeared."))
	})
})

var _ = Describe("The operator's finalizer", Label("guard", "security"), func() {
	It("is put back when another client removes it, of a person and of a group", func(ctx SpecContext) {
		w := vanishing(ctx)
		person := w.staff(ctx, 1, v1alpha1.RoleUser)[0]
		group := Applied(ctx, k8s, MakeGroup("Admins").Giving(v1alpha1.RoleAdmin).With(person.Spec.UserName).In(w.namespace).Obj())
		Eventually(stored(ctx, group)).Should(BeReady(v1alpha1.SyncedReason))

		for _, object := range []client.Object{person, group} {
			stripped(ctx, object)
			Eventually(stored(ctx, object)).WithTimeout(5 * time.Second).Should(HaveField("GetFinalizers()", ConsistOf(v1alpha1.Finalizer)))
		}
	})

	It("is put back also while LambdaTest cannot be called", func(ctx SpecContext) {
		w := vanishing(ctx)
		person := w.staff(ctx, 1, v1alpha1.RoleUser)[0]
		Changed(ctx, k8s, w.organization(), func(o *v1alpha1.LambdaTestOrganization) { o.Spec.Suspend = true })
		Eventually(stored(ctx, w.organization())).Should(BeStalled(v1alpha1.SuspendedReason))
		Changed(ctx, k8s, person, func(u *v1alpha1.LambdaTestUser) { u.Spec.Role = v1alpha1.RoleAdmin })
		Eventually(stored(ctx, person)).Should(BeStalled(v1alpha1.SuspendedReason))

		stripped(ctx, person)

		Eventually(stored(ctx, person)).WithTimeout(5 * time.Second).Should(HaveField("GetFinalizers()", ConsistOf(v1alpha1.Finalizer)))
	})
})
