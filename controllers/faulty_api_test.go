// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/claims"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/lane"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// faultyAPI is an API server that fails now and then: by chance of a seed, which the specs print, so that a failure can be played again.
type faultyAPI struct {
	random *rand.Rand
	// share of the calls that fail, and the faults they fail with.
	share  float64
	faults []apiFault
	failed int
}

// apiFault is a way in which a call to the API server fails.
type apiFault struct {
	name string
	err  error
	// done says that the call was carried out all the same: its answer is lost.
	done bool
}

var things = v1alpha1.Resource("things")

// apiFaults are those that clients of a busy, restarting or distant API server meet.
var apiFaults = []apiFault{
	{name: "conflict", err: apierrors.NewConflict(things, "x", errors.New("the object has been modified"))},
	{name: "timeout of the server", err: apierrors.NewServerTimeout(things, "write", 1)},
	{name: "timeout, carried out", err: apierrors.NewTimeoutError("timeout", 1), done: true},
	{name: "too many requests", err: apierrors.NewTooManyRequests("slow down", 1)},
	{name: "internal error", err: apierrors.NewInternalError(errors.New("etcdserver: leader changed"))},
	{name: "unavailable", err: apierrors.NewServiceUnavailable("the server is starting")},
	{name: "connection refused", err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}},
	{name: "connection lost, carried out", err: fmt.Errorf("read: %w", syscall.ECONNRESET), done: true},
	{name: "deadline", err: context.DeadlineExceeded},
	{name: "webhook refused", err: apierrors.NewForbidden(things, "x", errors.New("a policy says no"))},
}

// call makes the call, or fails it, or loses its answer.
func (f *faultyAPI) call(do func() error) error {
	if f.random.Float64() >= f.share {
		return do()
	}
	f.failed++
	fault := f.faults[f.random.IntN(len(f.faults))]
	if fault.done {
		if err := do(); err != nil {
			return err
		}
	}
	return fault.err
}

// faulty makes the API server of a spec fail. What the controllers read from their caches does not: those are in memory.
func faulty(w *world, seed uint64, faults ...apiFault) *faultyAPI {
	f := &faultyAPI{random: rand.New(rand.NewPCG(seed, seed)), faults: faults}
	writes := interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.CreateOption) error {
			return f.call(func() error { return c.Create(ctx, object, options...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.UpdateOption) error {
			return f.call(func() error { return c.Update(ctx, object, options...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
			return f.call(func() error { return c.Patch(ctx, object, patch, options...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption) error {
			return f.call(func() error { return c.Delete(ctx, object, options...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, name string, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
			return f.call(func() error { return c.SubResource(name).Patch(ctx, object, patch, options...) })
		},
	}
	everything := writes
	everything.Get = func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
		return f.call(func() error { return c.Get(ctx, key, into, options...) })
	}
	everything.List = func(ctx context.Context, c client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
		return f.call(func() error { return c.List(ctx, list, options...) })
	}
	w.through(interceptor.NewClient(k8s, writes), interceptor.NewClient(k8s, everything))
	return f
}

// through lets the controllers use other clients: one that reads from caches, and one that always asks the API server.
func (w *world) through(cached, live client.WithWatch) {
	w.cached.WithWatch, w.live.WithWatch = cached, live
}

// insisted reconciles everything again and again, whatever comes of it, as the queues do.
func (w *world) insisted(ctx context.Context, rounds int, people []*v1alpha1.LambdaTestUser, groups []*v1alpha1.LambdaTestGroup) {
	GinkgoHelper()
	organization := ctrl.Request{NamespacedName: client.ObjectKey{Namespace: w.namespace, Name: DefaultOrganization}}
	for range rounds {
		w.clock.Advance(time.Minute)
		_, _ = w.organizations.Reconcile(ctx, organization)
		_ = w.guarded(ctx)
		w.sweptUnlessStopped(ctx)
		for _, person := range people {
			_, _ = w.people.Reconcile(ctx, claims.KeyOf(person))
		}
		for _, group := range groups {
			_, _ = w.groups.Reconcile(ctx, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(group)})
		}
	}
}

// sweptUnlessStopped sweeps the organization, if calls are made at all: they are not while its Secret cannot be read.
func (w *world) sweptUnlessStopped(ctx context.Context) {
	GinkgoHelper()
	if _, obstacle := w.connection().State(); obstacle == (status.Outcome{}) && w.connection().Client() != nil {
		_ = w.connection().Sweep(ctx)
	}
}

var _ = Describe("While the API server fails now and then", Label("faulty-api"), func() {
	// story declares people and a group, denies one, deletes one, and changes one, with the API server failing between all steps.
	story := func(ctx context.Context, w *world, api *faultyAPI) {
		GinkgoHelper()
		const rounds = 8
		var people []*v1alpha1.LambdaTestUser
		for i := range 6 {
			people = append(people, Applied(ctx, k8s, MakeUser(fmt.Sprintf("person-%d@example.com", i)).In(w.namespace).Role(v1alpha1.RoleUser).Obj()))
		}
		groups := []*v1alpha1.LambdaTestGroup{
			Applied(ctx, k8s, MakeGroup("Testers").In(w.namespace).With(people[0].Spec.UserName, people[1].Spec.UserName).Obj()),
		}
		api.share = 0.3
		w.insisted(ctx, rounds, people, groups)
		Changed(ctx, k8s, people[1], denied)
		Changed(ctx, k8s, people[2], wants(v1alpha1.RoleAdmin))
		Deleted(ctx, k8s, people[3])
		w.insisted(ctx, rounds, people, groups)

		api.share = 0
		w.insisted(ctx, 4, people, groups)

		Expect(api.failed).To(BeNumerically(">", 0))
		for i, person := range people {
			if i == 3 {
				Expect(Exists(ctx, k8s, person)).To(BeFalse(), "the resource of who was deleted is gone")
				continue
			}
			Expect(Fetched(ctx, k8s, person)).To(BeReady(v1alpha1.SyncedReason), person.Spec.UserName)
			Expect(w.account(person.Spec.UserName).Active).To(Equal(i != 1), person.Spec.UserName)
		}
		Expect(Fetched(ctx, k8s, groups[0])).To(BeReady(v1alpha1.SyncedReason))
		Expect(w.account(people[3].Spec.UserName).Active).To(BeFalse())
		Expect(w.account(people[2].Spec.UserName).Role).To(BeEquivalentTo(v1alpha1.RoleAdmin))
		Expect(w.upstream.Count("POST /Users")).To(Equal(len(people)), "one account each, made by one call")
		Expect(w.upstream.Count("POST /Groups")).To(Equal(1))
	}

	for _, fault := range apiFaults {
		It("by "+fault.name+", everything is carried out in the end, and nothing twice", func(ctx SpecContext) {
			w := connectedWorld(ctx)
			story(ctx, w, faulty(w, 1, fault))
		})
	}

	for seed := range uint64(3) {
		It(fmt.Sprintf("in all ways there are, everything is carried out in the end, and nothing twice (seed %d)", seed), func(ctx SpecContext) {
			w := connectedWorld(ctx)
			story(ctx, w, faulty(w, seed, apiFaults...))
		})
	}

	It("a list that is cut off is an error, and nobody is taken for gone", func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		expired := interceptor.NewClient(k8s, interceptor.Funcs{
			List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
				return apierrors.NewResourceExpired("the continue token is too old")
			},
		})
		w.through(expired, expired)
		w.upstream.ResetCalls()

		_, err := w.people.Reconcile(ctx, claims.KeyOf(user))

		Expect(err).To(MatchError(apierrors.IsResourceExpired, "IsResourceExpired"))
		Expect(w.upstream.Writes()).To(BeZero())
		Expect(w.account(ada).Active).To(BeTrue())
	})

	It("a denial whose status cannot be written is carried out all the same", Label("deny-wins"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		user = Changed(ctx, k8s, user, denied)
		unwritable := interceptor.NewClient(k8s, interceptor.Funcs{
			SubResourcePatch: func(context.Context, client.Client, string, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
				return apierrors.NewTooManyRequests("slow down", 1)
			},
		})
		w.through(unwritable, unwritable)

		_, err := w.people.Reconcile(ctx, claims.KeyOf(user))

		Expect(err).To(MatchError(apierrors.IsTooManyRequests, "IsTooManyRequests"))
		Expect(w.account(ada).Active).To(BeFalse())
	})

	It("a denial that the API server keeps from being carried out is tried every second, and not less and less often", Label("deny-wins"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		user = Changed(ctx, k8s, user, func(u *v1alpha1.LambdaTestUser) {
			denied(u)
			u.Finalizers = nil // somebody took it off: it comes before the call
		})
		away := interceptor.NewClient(k8s, interceptor.Funcs{
			Patch: func(context.Context, client.WithWatch, client.Object, client.Patch, ...client.PatchOption) error {
				return apierrors.NewServiceUnavailable("starting")
			},
		})
		w.through(away, away)
		for range 10 {
			Expect(w.people.Reconcile(ctx, claims.KeyOf(user))).To(And(
				HaveField("RequeueAfter", lane.DenialBackoffMax/2), HaveField("Priority", HaveValue(Equal(lane.Denial)))))
		}

		w.through(k8s, k8s)
		w.reconciled(ctx, user)

		Expect(w.account(ada).Active).To(BeFalse())
	})

	It("a denial that meets a conflict keeps its place before everybody else", Label("deny-wins", "order"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		user := w.settled(ctx, MakeUser(ada).Role(v1alpha1.RoleUser))
		user = Changed(ctx, k8s, user, func(u *v1alpha1.LambdaTestUser) {
			denied(u)
			u.Finalizers = nil // adding it comes before the call, and conflicts
		})
		api := faulty(w, 1, apiFaults[0])
		api.share = 1

		Expect(w.people.Reconcile(ctx, claims.KeyOf(user))).To(And(
			HaveField("RequeueAfter", status.ConflictRetry), HaveField("Priority", HaveValue(Equal(lane.Denial)))))
	})

	It("a denial does not wait for the release of another resource that goes", Label("deny-wins", "deletion"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		leaving := w.settled(ctx, MakeUser(ada).Named("leaving").Role(v1alpha1.RoleUser))
		staying := w.settled(ctx, MakeUser(ada).FromSCIM().Active())
		Deleted(ctx, k8s, leaving)
		Changed(ctx, k8s, staying, denied)
		stuck := interceptor.NewClient(k8s, interceptor.Funcs{
			Patch: func(ctx context.Context, k8s client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
				if object.GetName() == leaving.Name {
					return apierrors.NewServiceUnavailable("starting")
				}
				return k8s.Patch(ctx, object, patch, options...)
			},
		})
		w.through(stuck, stuck)

		_, err := w.people.Reconcile(ctx, claims.KeyOf(staying))

		Expect(err).To(MatchError(apierrors.IsServiceUnavailable, "IsServiceUnavailable"))
		Expect(w.account(ada).Active).To(BeFalse())
		Expect(Fetched(ctx, k8s, staying)).To(BeReady(v1alpha1.SyncedReason))
		w.through(k8s, k8s)
		w.reconciled(ctx, staying)
		Expect(Exists(ctx, k8s, leaving)).To(BeFalse())
	})

	It("a denial does not wait for what the guard says about another resource that goes, and what that gave stays", Label("deny-wins", "guard"), func(ctx SpecContext) {
		w := connectedWorld(ctx)
		leaving := w.settled(ctx, MakeUser(ada).Named("leaving").Role(v1alpha1.RoleAdmin))
		staying := w.settled(ctx, MakeUser(ada).FromSCIM().Active().Role(v1alpha1.RoleUser))
		Deleted(ctx, k8s, leaving)
		Changed(ctx, k8s, staying, denied)
		mute := interceptor.NewClient(k8s, interceptor.Funcs{
			Get: func(ctx context.Context, k8s client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
				if _, asked := into.(*v1alpha1.LambdaTestOrganization); asked {
					return apierrors.NewServiceUnavailable("starting")
				}
				return k8s.Get(ctx, key, into, options...)
			},
		})
		w.through(k8s, mute)

		_, err := w.people.Reconcile(ctx, claims.KeyOf(staying))

		Expect(err).NotTo(HaveOccurred())
		Expect(w.guarded(ctx)).To(MatchError(apierrors.IsServiceUnavailable, "IsServiceUnavailable"))
		Expect(w.account(ada)).To(And(HaveField("Active", false), HaveField("Role", "Admin")))
		Expect(Exists(ctx, k8s, leaving)).To(BeTrue())
	})
})
