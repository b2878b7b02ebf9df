// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package parties

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// Editor is an administrator who changes accounts at LambdaTest itself.
type Editor struct {
	world         *World
	organizations []*Organization
	random        *rand.Rand
	pause         time.Duration
}

// NewEditor returns an editor of these organizations, with that pause between two edits.
func (w *World) NewEditor(organizations []*Organization, pause time.Duration) *Editor {
	return &Editor{world: w, organizations: organizations, random: w.Chance(), pause: pause}
}

// Work implements Party.
func (e *Editor) Work(ctx context.Context) {
	for ctx.Err() == nil {
		e.Step(ctx)
		Pause(ctx, e.pause)
	}
}

// Step implements Party: it edits one account.
func (e *Editor) Step(context.Context) { e.edit(e.organizations[e.random.IntN(len(e.organizations))]) }

func (e *Editor) edit(o *Organization) {
	crew := o.Crew()
	accounts := slices.DeleteFunc(o.LambdaTest.Accounts(), func(a simulator.Account) bool {
		return slices.Contains(crew, a.UserName) // the check of the guard counts these accounts
	})
	if len(accounts) == 0 {
		return
	}
	// Prefer the newest accounts: other clients change these people at the same time.
	young := accounts[max(0, len(accounts)-4*currentPeople):]
	chosen := young[e.random.IntN(len(young))].UserName
	_, err := o.LambdaTest.EditAccount(chosen, func(a *simulator.Account) {
		if e.random.IntN(3) == 0 {
			a.Role = []string{"Admin", "User", "Guest"}[e.random.IntN(3)]
		} else {
			a.Active = !a.Active
		}
	})
	if err == nil {
		e.world.Edits.Add(1)
	}
}

// Intruder is an administrator of the cluster who tries to change resources of the provider. The admission policy must refuse this.
type Intruder struct {
	world         *World
	organizations []*Organization
	random        *rand.Rand
	pause         time.Duration
}

// NewIntruder returns an intruder into these organizations, with that pause before each attempt.
func (w *World) NewIntruder(organizations []*Organization, pause time.Duration) *Intruder {
	return &Intruder{world: w, organizations: organizations, random: w.Chance(), pause: pause}
}

// Work implements Party.
func (i *Intruder) Work(ctx context.Context) {
	for ctx.Err() == nil {
		Pause(ctx, i.pause)
		i.Step(ctx)
	}
}

// Step implements Party: it tries to change one resource.
func (i *Intruder) Step(ctx context.Context) {
	o := i.organizations[i.random.IntN(len(i.organizations))]
	if people, _ := o.Known(); len(people) > 0 {
		i.intrude(ctx, o.Namespace, people[i.random.IntN(len(people))])
	}
}

func (i *Intruder) intrude(ctx context.Context, namespace string, person *Subject) {
	user := &v1alpha1.LambdaTestUser{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: person.ID}}
	change := client.RawPatch("application/merge-patch+json", []byte(`{"spec": {"displayName": "intruder"}}`))
	err := i.world.Cluster.Patch(ctx, user, change)
	switch {
	case err == nil:
		i.world.Intrusions.Add(person.Key)
	case apierrors.IsForbidden(err):
		i.world.Refusals.Add(1)
	}
}
