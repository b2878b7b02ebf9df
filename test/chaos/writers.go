// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

const (
	gitPause      = 250 * time.Millisecond
	editorPause   = 800 * time.Millisecond
	intruderPause = 2 * time.Second

	// gitTimeout bounds one write; without the API server it fails.
	gitTimeout = 10 * time.Second
	// crewSize people are declared by Git alone, and pruned by mistake at some time.
	crewSize = 30
	// farewells is how many people Git may remove on purpose in a run, in addition to the prune: few, because the guard also counts them.
	farewells = 3
)

// git applies manifests about people of an organization. The identity provider also knows most of them.
type git struct {
	run       *run
	tenant    *tenant
	random    *rand.Rand
	farewells int
}

func (g *git) work(ctx context.Context) {
	for ctx.Err() == nil {
		writing, cancel := context.WithTimeout(ctx, gitTimeout)
		g.write(writing, g.tenant.person(g.random))
		cancel()
		pause(ctx, gitPause)
	}
}

func (g *git) write(ctx context.Context, person *subject) {
	claim := g.tenant.declaration(person.name)
	err := g.run.env.Client.Get(ctx, client.ObjectKeyFromObject(claim), claim)
	switch {
	case apierrors.IsNotFound(err):
		g.specify(claim)
		err = g.run.env.Client.Create(ctx, claim)
	case err != nil, !claim.DeletionTimestamp.IsZero():
		return
	case g.random.IntN(40) == 0 && g.mayDelete(person):
		err = g.run.env.Client.Delete(ctx, claim)
	default:
		g.specify(claim)
		err = g.run.env.Client.Update(ctx, claim)
	}
	if err == nil {
		g.run.manifests.Add(1)
	}
}

// specify invents a spec: usually the person is active, sometimes active is unset, seldom the person is denied.
func (g *git) specify(claim *v1alpha1.LambdaTestUser) {
	claim.Spec.Role = []v1alpha1.Role{"", v1alpha1.RoleAdmin, v1alpha1.RoleUser, v1alpha1.RoleGuest}[g.random.IntN(4)]
	claim.Spec.Active = nil
	switch n := g.random.IntN(10); {
	case n < 2:
		claim.Spec.Active = new(false)
	case n < 6:
		claim.Spec.Active = new(true)
	}
}

// mayDelete keeps deletions within the guard's limit. A hand-over to the provider's claim does not count.
func (g *git) mayDelete(person *subject) bool {
	if person.sure.Load() {
		return true
	}
	g.farewells++
	return g.farewells <= farewells
}

// declaration is the declared resource of a person.
func (t *tenant) declaration(userName string) *v1alpha1.LambdaTestUser {
	return &v1alpha1.LambdaTestUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: "git-" + v1alpha1.PersonDigest(t.name, userName)},
		Spec: v1alpha1.LambdaTestUserSpec{
			OrganizationRef: v1alpha1.OrganizationReference{Name: t.name},
			UserName:        userName,
			Name:            v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"},
		},
	}
}

// enlist declares the people who will be pruned.
func (t *tenant) enlist(ctx context.Context) error {
	for i := range crewSize {
		userName := t.address(fmt.Sprintf("crew-%02d", i))
		t.crew = append(t.crew, userName)
		if err := t.client.Create(ctx, t.declaration(userName)); err != nil {
			return fmt.Errorf("declaring %s: %w", userName, err)
		}
	}
	return nil
}

// prune deletes the whole crew at once, as when a folder is removed from Git.
func (r *run) prune(ctx context.Context) error {
	pruned := r.pruned()
	r.prunedAt = r.now()
	var failures []error
	for _, userName := range pruned.crew {
		claim := pruned.declaration(userName)
		for ctx.Err() == nil {
			err := client.IgnoreNotFound(r.env.Client.Delete(ctx, claim))
			if err == nil {
				break
			}
			failures = append(failures, err)
			pause(ctx, gitPause)
		}
	}
	if ctx.Err() != nil {
		return errors.Join(failures...)
	}
	return nil
}

// editor changes accounts at LambdaTest itself.
type editor struct {
	run    *run
	random *rand.Rand
}

func (e *editor) work(ctx context.Context) {
	for ctx.Err() == nil {
		e.edit(e.run.tenants[e.random.IntN(len(e.run.tenants))])
		pause(ctx, editorPause)
	}
}

func (e *editor) edit(t *tenant) {
	accounts := slices.DeleteFunc(t.lambdaTest.Accounts(), func(a simulator.Account) bool {
		return slices.Contains(t.crew, a.UserName) // the check of the guard counts these accounts
	})
	if len(accounts) == 0 {
		return
	}
	// Prefer the newest accounts: other clients change these people at the same time.
	young := accounts[max(0, len(accounts)-4*currentPeople):]
	chosen := young[e.random.IntN(len(young))].UserName
	_, err := t.lambdaTest.EditAccount(chosen, func(a *simulator.Account) {
		if e.random.IntN(3) == 0 {
			a.Role = []string{"Admin", "User", "Guest"}[e.random.IntN(3)]
		} else {
			a.Active = !a.Active
		}
	})
	if err == nil {
		e.run.edits.Add(1)
	}
}

// intruder is an administrator of the cluster who tries to change resources of the provider. The admission policy must refuse this.
type intruder struct {
	run    *run
	random *rand.Rand
}

func (i *intruder) work(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, intruderPause)
		people, _ := i.run.tenants[i.random.IntN(len(i.run.tenants))].known()
		if len(people) > 0 {
			i.intrude(ctx, people[i.random.IntN(len(people))])
		}
	}
}

func (i *intruder) intrude(ctx context.Context, person *subject) {
	namespace := i.run.tenant(organizationOf(person.key)).namespace
	user := &v1alpha1.LambdaTestUser{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: person.id}}
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec": {"displayName": "intruder"}}`))
	err := i.run.env.Client.Patch(ctx, user, patch)
	switch {
	case err == nil:
		i.run.intrusions.add(person.key)
	case apierrors.IsForbidden(err):
		i.run.refusals.Add(1)
	}
}
