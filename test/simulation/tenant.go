// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/parties"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

const (
	// connectTime is how long a provider tries to connect to a replica, which is near.
	connectTime = time.Second
	// insistPause is the pause before a person repeats what failed.
	insistPause = 5 * time.Second
)

// tenant is an organization, its identity provider, and who else acts on it.
type tenant struct {
	*parties.Organization
	provider *parties.Provider
	git      *parties.Git
	// rotating holds one value while tokens are changed: a mutex would stop the clock.
	rotating chan struct{}
}

// prune is a mistake in Git.
type prune struct {
	tenant *tenant
	at     promises.Moment
}

// invite makes the organizations and the parties that act on them.
func (w *World) invite() error {
	w.parties = &parties.World{Began: w.began, Seed: w.options.Seed, Cluster: w.cluster, Ready: w.readySlots}
	for slot := range w.slots {
		base := "http://slot-" + strconv.Itoa(slot+1) + "/scim/v2"
		transport := &http.Transport{MaxIdleConnsPerHost: 16, DialContext: w.dialSlot(slot)}
		w.parties.Endpoints = append(w.parties.Endpoints, parties.NewEndpoint(base, &http.Client{Transport: transport, Timeout: parties.Patience}))
	}
	for _, name := range w.options.Organizations {
		t, err := w.newTenant(name)
		if err != nil {
			return fmt.Errorf("creating organization %s: %w", name, err)
		}
		w.tenants = append(w.tenants, t)
	}
	w.editor, w.intruder = w.parties.NewEditor(w.organizations(), 0), w.parties.NewIntruder(w.organizations(), 0)
	return w.parties.Enlist(w.ctx, w.tenants[0].Organization)
}

// dialSlot connects a provider to the present replica of a slot.
func (w *World) dialSlot(slot int) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, connectTime)
		defer cancel()
		address := net.JoinHostPort(w.current(slot).host.Name(), strconv.Itoa(scimPort))
		return w.network.Host(providerHost).DialContext(ctx, network, address)
	}
}

// readySlots are the numbers of the replicas to which a Service sends requests.
func (w *World) readySlots() []int {
	var ready []int
	for _, r := range w.endpoints() {
		ready = append(ready, r.slot)
	}
	return ready
}

func (w *World) newTenant(name string) (*tenant, error) {
	upstream, scim := w.token(), w.token()
	org := w.lambdaTest.AddOrg(name, upstream,
		simulator.Name(name), simulator.Seed(w.options.Seed), simulator.KeepChanges(), simulator.ConcurrencyGroups("QA"))
	t := &tenant{Organization: parties.NewOrganization(name, name, org, scim), rotating: make(chan struct{}, 1)}
	t.provider, t.git = w.parties.NewProvider(t.Organization, 0), w.parties.NewGit(t.Organization, 0)
	secrets := []*corev1.Secret{t.upstreamSecret(), t.scimSecret()}
	secrets[0].Data = map[string][]byte{v1alpha1.DefaultTokenKey: []byte(upstream)}
	secrets[1].Data = map[string][]byte{"first": []byte(scim)}
	organization := &v1alpha1.LambdaTestOrganization{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: t.Name},
		Spec: v1alpha1.LambdaTestOrganizationSpec{
			BaseURL:        "http://" + lambdaTestHost + simulator.Prefix,
			TokenSecretRef: v1alpha1.SecretKeyReference{Name: secrets[0].Name, Key: v1alpha1.DefaultTokenKey},
			SyncInterval:   metav1.Duration{Duration: w.options.SyncInterval},
		},
	}
	organization.Spec.SCIM.TokenSecretRef = &v1alpha1.SecretReference{Name: secrets[1].Name}
	for _, object := range []client.Object{secrets[0], secrets[1], organization} {
		if err := w.cluster.Create(w.ctx, object); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *tenant) scimSecret() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: t.Name + "-provider"}}
}

func (t *tenant) upstreamSecret() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: t.Name + "-lambdatest-token"}}
}

// token has the length that the endpoint asks for. It is the same in each run of a seed.
func (w *World) token() string {
	random := w.parties.Chance()
	text := make([]byte, 52)
	for i := range text {
		text[i] = "abcdefghijklmnopqrstuvwxyz234567"[random.IntN(32)]
	}
	return string(text)
}

// insist repeats what a person does until it succeeds or the world ends.
func (w *World) insist(act func(ctx context.Context) error) bool {
	for w.ctx.Err() == nil {
		if act(w.ctx) == nil {
			return true
		}
		w.sleep(insistPause)
	}
	return false
}

// rotateSCIMToken adds a token, lets the provider use it, and removes the old one.
func (w *World) rotateSCIMToken(t *tenant, lasts time.Duration) {
	t.rotating <- struct{}{}
	defer func() { <-t.rotating }()
	fresh := w.token()
	if !w.changeSecret(t.scimSecret(), func(s *corev1.Secret) { s.Data[fresh[:8]] = []byte(fresh) }) || !w.sleep(lasts) {
		return
	}
	t.Token.Store(&fresh)
	w.sleep(lasts)
	w.changeSecret(t.scimSecret(), func(s *corev1.Secret) { s.Data = map[string][]byte{fresh[:8]: []byte(fresh)} })
}

// rotateUpstreamToken makes LambdaTest refuse the old token, and brings the new one a while later.
func (w *World) rotateUpstreamToken(t *tenant, lasts time.Duration) {
	t.rotating <- struct{}{}
	defer func() { <-t.rotating }()
	fresh, period := w.token(), promises.Period{From: w.Now(), What: "LambdaTest's token is rotated", Whom: t.Name}
	w.trace.add("fault", t.Name, "LambdaTest's token changes, and the Secret after %s", lasts)
	t.LambdaTest.RotateToken(fresh)
	w.sleep(lasts)
	w.changeSecret(t.upstreamSecret(), func(s *corev1.Secret) { s.Data[v1alpha1.DefaultTokenKey] = []byte(fresh) })
	w.trace.add("fault", t.Name, "the Secret has LambdaTest's token")
	period.To = w.Now()
	w.trouble.Add(period)
}

func (w *World) changeSecret(secret *corev1.Secret, change func(*corev1.Secret)) bool {
	return w.insist(func(ctx context.Context) error {
		if err := w.cluster.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
			return err
		}
		change(secret)
		return w.cluster.Update(ctx, secret)
	})
}

// waveSize people are hired at once: it takes LambdaTest's rate limit some seconds to follow.
const waveSize = 40

// hiringWave lets the provider create many people at once, and deny some others behind them: a denial overtakes the backlog.
func (w *World) hiringWave(t *tenant, random *rand.Rand) {
	earlier, _ := t.Known()
	var all sync.WaitGroup
	for range waveSize {
		person, chance := t.Hire("wave"), rand.New(rand.NewPCG(random.Uint64(), 0))
		all.Go(func() {
			w.ask(t, person, promises.UserRequest{Verb: promises.UserCreate, Role: "User", External: person.Key}, chance)
		})
	}
	for _, person := range earlier[:min(len(earlier), 3)] {
		w.deny(t, person, random)
	}
	all.Wait()
}

// layOff lets the provider deny some of the people it knows, one after the other.
func (w *World) layOff(t *tenant, random *rand.Rand) {
	people, _ := t.Known()
	random.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
	for _, person := range people[:min(len(people), 8)] {
		w.deny(t, person, random)
	}
}

// deny lets the provider deny a person; it tells whether that was acknowledged.
func (w *World) deny(t *tenant, person *parties.Subject, random *rand.Rand) bool {
	return w.ask(t, person, promises.UserRequest{Verb: promises.UserActivate}, random)
}

// ask sends a request about a person to one replica after the other until one answers; it gives up after a while, and tells whether the
// request was acknowledged.
func (w *World) ask(t *tenant, person *parties.Subject, in promises.UserRequest, random *rand.Rand) bool {
	if in.Verb == promises.UserCreate || in.Verb == promises.UserReplace {
		in.Display = fmt.Sprintf("s%d", w.numbers.Add(1))
	}
	return w.anyReplica(random, func(slot int) (bool, error) {
		answer, err := t.provider.Ask(w.ctx, slot, person, in)
		return answer.Acknowledged(), err
	})
}

// askGroup is ask about a group.
func (w *World) askGroup(t *tenant, group *parties.Subject, in promises.GroupRequest, random *rand.Rand) bool {
	return w.anyReplica(random, func(slot int) (bool, error) {
		answer, err := t.provider.AskGroup(w.ctx, slot, group, in)
		return answer.Acknowledged(), err
	})
}

// attempts is how often a provider repeats a request that is not answered.
const attempts = 5

func (w *World) anyReplica(random *rand.Rand, ask func(slot int) (bool, error)) bool {
	for range attempts {
		if ready := w.readySlots(); len(ready) > 0 {
			if done, err := ask(ready[random.IntN(len(ready))]); err == nil {
				return done
			}
		}
		w.sleep(insistPause)
	}
	return false
}

// decide approves or rejects what the guard holds, if it holds anything.
func (w *World) decide(t *tenant, approve bool) {
	organization := &v1alpha1.LambdaTestOrganization{}
	if err := w.cluster.Get(w.ctx, client.ObjectKey{Namespace: t.Namespace, Name: t.Name}, organization); err != nil {
		return
	}
	guard := organization.Status.Guard
	if guard == nil || guard.Held == nil {
		return
	}
	annotation := v1alpha1.RejectDeprovisionAnnotation
	if approve {
		annotation = v1alpha1.ApproveDeprovisionAnnotation
	}
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, annotation, guard.Held.Token)
	err := w.cluster.Patch(w.ctx, organization, client.RawPatch("application/merge-patch+json", []byte(patch)))
	w.trace.add("event", t.Name, "%s: %v", annotation, err)
	if !approve {
		w.declareAgain(t)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.approvedAt == 0 {
		w.approvedAt = w.Now()
	}
}

// declareAgain lets Git declare the crew again once the operator has released it: a rejection leaves the accounts as they are.
func (w *World) declareAgain(t *tenant) {
	for _, userName := range t.Crew() {
		w.insist(func(ctx context.Context) error {
			claim := t.Declaration(userName)
			err := w.cluster.Get(ctx, client.ObjectKeyFromObject(claim), claim)
			switch {
			case apierrors.IsNotFound(err):
				return w.cluster.Create(ctx, t.Declaration(userName))
			case err == nil && !claim.DeletionTimestamp.IsZero() && !w.heldFor(t):
				return errors.New("not released yet")
			}
			return err
		})
	}
}

// heldFor tells whether the guard holds somebody: then the rejection was about another set, and a person decides once more.
func (w *World) heldFor(t *tenant) bool {
	organization := &v1alpha1.LambdaTestOrganization{}
	err := w.cluster.Get(w.ctx, client.ObjectKey{Namespace: t.Namespace, Name: t.Name}, organization)
	held := err == nil && organization.Status.Guard != nil && organization.Status.Guard.Held != nil
	return held && organization.Annotations[v1alpha1.RejectDeprovisionAnnotation] == ""
}

// pruneCrew lets Git delete everybody whom it alone declares, by mistake.
func (w *World) pruneCrew(t *tenant) {
	w.mu.Lock()
	w.prunes = append(w.prunes, prune{t, w.Now()})
	w.mu.Unlock()
	_ = w.parties.Prune(w.ctx, t.Organization)
}

// organizations are the tenants as the parties know them.
func (w *World) organizations() []*parties.Organization {
	var all []*parties.Organization
	for _, t := range w.tenants {
		all = append(all, t.Organization)
	}
	return all
}
