// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	"github.com/lambdatest-operator/lambdatest-operator/test/parties"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

// slowerThanCalls is a latency that may make calls fail.
const slowerThanCalls = time.Second

// breakThings carries out the schedule, and returns when all faults have ended.
func (r *run) breakThings(ctx context.Context, schedule []event) {
	for _, e := range schedule {
		parties.Pause(ctx, e.At-(r.world.Now()-r.chaosBegan))
		if ctx.Err() != nil {
			break
		}
		r.background.Go(func() {
			r.progress("%s", e.Kind)
			r.count(e.Kind)
			if err := r.carryOut(ctx, e); err != nil && ctx.Err() == nil {
				r.progress("%s: %v", e.Kind, err)
			}
		})
	}
}

func (r *run) carryOut(ctx context.Context, e event) error {
	switch e.Kind {
	case killReplica:
		r.env.Replicas[e.Target].Kill() // its keeper starts it again
		return nil
	case pauseReplica:
		return r.pauseReplica(ctx, r.env.Replicas[e.Target], e.Lasts)
	case rollingRestart:
		return r.rollingRestart(ctx)
	case restartAPIServer: // a restart that began is completed, even after the end of the run
		return r.withoutControlPlane(func() error { return r.env.Plane.RestartAPIServer(context.WithoutCancel(ctx)) })
	case restartEtcd:
		return r.withoutControlPlane(func() error { return r.env.Plane.RestartEtcd(context.WithoutCancel(ctx)) })
	case pauseEtcd:
		return r.withoutControlPlane(func() error { return r.pauseEtcd(ctx, e.Lasts) })
	case slowLink, cutLink, freezeLink:
		return r.breakLink(ctx, r.links[e.Target%len(r.links)], e)
	case rotateSCIMToken:
		return r.tenants[e.Target%len(r.tenants)].rotateSCIMToken(ctx, e.Lasts)
	case rotateUpstreamToken:
		return r.rotateUpstreamToken(ctx, r.tenants[e.Target%len(r.tenants)], e.Lasts)
	case hiringWave:
		r.world.NewProvider(r.tenants[0].Organization, clientPause).HireWave(ctx)
		return nil
	case prune:
		r.prunedAt = r.world.Now()
		return r.world.Prune(ctx, r.pruned().Organization)
	}
	r.upstreamFault(ctx, r.tenants[e.Target%len(r.tenants)], e)
	return nil
}

// pauseReplica stops a replica for longer than its lease.
func (r *run) pauseReplica(ctx context.Context, replica *environment.Replica, lasts time.Duration) error {
	if err := replica.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	parties.Pause(ctx, lasts)
	return replica.Signal(syscall.SIGCONT)
}

// rollingRestart stops one replica after the other, as a Deployment does. Its keeper starts each again.
func (r *run) rollingRestart(ctx context.Context) error {
	for _, replica := range r.env.Replicas {
		replica.Stop()
		if err := awaitReady(ctx, replica); err != nil {
			return fmt.Errorf("waiting for %s: %w", replica.Name(), err)
		}
	}
	return nil
}

// withoutControlPlane records a time in which resources could not be read or written.
func (r *run) withoutControlPlane(breaking func() error) error {
	from := r.world.Now()
	err := breaking()
	r.trouble.Add(promises.Period{From: from, To: r.world.Now(), What: "control plane", Whom: promises.Everybody})
	return err
}

func (r *run) pauseEtcd(ctx context.Context, lasts time.Duration) error {
	if err := r.env.Plane.Etcd.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	parties.Pause(ctx, lasts)
	return r.env.Plane.Etcd.Signal(syscall.SIGCONT)
}

// breakLink injects a fault into one link for a while.
func (r *run) breakLink(ctx context.Context, l *brittle, e event) error {
	from := r.world.Now()
	defer func() {
		r.trouble.Add(promises.Period{From: from, To: r.world.Now(), What: l.link.name, Whom: l.whom})
	}()
	var err error
	switch e.Kind {
	case cutLink:
		l.link.cut()
	case freezeLink:
		err = l.link.freeze()
	default:
		err = l.link.slow(e.Lasts / 4)
	}
	if err != nil {
		return err
	}
	parties.Pause(ctx, e.Lasts)
	return l.link.heal(context.WithoutCancel(ctx))
}

// upstreamFault lets a simulated organization fail for a while.
func (r *run) upstreamFault(ctx context.Context, t *tenant, e event) {
	from := r.world.Now()
	org := t.LambdaTest
	always, often := simulator.Always(), simulator.Probability(0.5)
	switch e.Kind {
	case upstreamBusy:
		org.Fail(http.StatusTooManyRequests, often, simulator.RetryAfter(time.Second))
	case upstreamFails:
		org.Fail(http.StatusBadGateway, often)
	case upstreamGarbles:
		org.Inject(simulator.Fault{Kind: simulator.Garble}, always, often)
	case upstreamLoses:
		org.Inject(simulator.Fault{Kind: simulator.Lose}, always, often)
	case upstreamDrops:
		org.Inject(simulator.Fault{Kind: simulator.Drop}, always, often)
	case upstreamSlow:
		org.Inject(simulator.Fault{Kind: simulator.Slow, Delay: simulator.Duration(slowerThanCalls)}, always, often)
	case upstreamTruncate:
		org.Switch(func(s *simulator.Switches) { s.TruncateLists = 3 })
	case upstreamShuffle:
		org.MustRead(simulator.Settings{"order-of-lists": "another-at-each-call"})
	}
	parties.Pause(ctx, e.Lasts)
	org.ClearFaults()
	org.Switch(func(s *simulator.Switches) { *s = simulator.Switches{} })
	org.MustRead(simulator.Settings{"order-of-lists": "by-id"})
	to := r.world.Now()
	if e.Kind == upstreamBusy {
		to += time.Second // the Retry-After that it answered
	}
	listsOnly := e.Kind == upstreamTruncate || e.Kind == upstreamShuffle
	r.trouble.Add(promises.Period{From: from, To: to, What: string(e.Kind), Whom: t.Name, ListsOnly: listsOnly})
}

// rotateSCIMToken adds a token, lets the provider use it, and removes the old one.
func (t *tenant) rotateSCIMToken(ctx context.Context, lasts time.Duration) error {
	t.rotating.Lock()
	defer t.rotating.Unlock()
	fresh := longToken()
	add := func(secret *corev1.Secret) { secret.Data[rand.Text()] = []byte(fresh) }
	if err := t.changeSecret(ctx, t.scimSecret(), add); err != nil {
		return err
	}
	parties.Pause(ctx, lasts)
	t.Token.Store(&fresh)
	parties.Pause(ctx, lasts)
	return t.changeSecret(ctx, t.scimSecret(), func(secret *corev1.Secret) {
		for key, value := range secret.Data {
			if string(value) != fresh {
				delete(secret.Data, key)
			}
		}
	})
}

// rotateUpstreamToken makes LambdaTest refuse the old token, and brings the new one a while later.
func (r *run) rotateUpstreamToken(ctx context.Context, t *tenant, lasts time.Duration) error {
	t.rotating.Lock()
	defer t.rotating.Unlock()
	from, fresh := r.world.Now(), rand.Text()
	t.LambdaTest.RotateToken(fresh)
	parties.Pause(ctx, lasts)
	err := t.changeSecret(context.WithoutCancel(ctx), t.upstreamSecret(), func(secret *corev1.Secret) {
		secret.Data[v1alpha1.DefaultTokenKey] = []byte(fresh)
	})
	r.trouble.Add(promises.Period{From: from, To: r.world.Now(), What: string(rotateUpstreamToken), Whom: t.Name})
	return err
}

// changeSecret retries until the API server answers.
func (t *tenant) changeSecret(ctx context.Context, secret *corev1.Secret, change func(*corev1.Secret)) error {
	key := client.ObjectKeyFromObject(secret)
	return environment.Await(ctx, func(ctx context.Context) error {
		return retry.RetryOnConflict(retry.DefaultRetry, func() error {
			if err := t.client.Get(ctx, key, secret); err != nil {
				return err
			}
			change(secret)
			return t.client.Update(ctx, secret)
		})
	})
}
