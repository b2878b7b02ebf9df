// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package parties

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

const (
	// gitTimeout bounds one write; without the API server it fails.
	gitTimeout = 10 * time.Second
	// prunePause is the pause before a write of the prune is repeated.
	prunePause = 250 * time.Millisecond
	// crewSize people are declared by Git alone, and pruned by mistake at some time.
	crewSize = 30
	// farewells is how many people Git may remove on purpose in a run, in addition to the prune: few, because the guard also counts them.
	farewells = 3
)

// Git applies manifests about people of an organization. The identity provider also knows most of them.
type Git struct {
	world        *World
	organization *Organization
	random       *rand.Rand
	pause        time.Duration
	farewells    int
}

// NewGit returns Git for an organization, with that pause between two writes.
func (w *World) NewGit(o *Organization, pause time.Duration) *Git {
	return &Git{world: w, organization: o, random: w.Chance(), pause: pause}
}

// Work implements Party.
func (g *Git) Work(ctx context.Context) {
	for ctx.Err() == nil {
		g.Step(ctx)
		Pause(ctx, g.pause)
	}
}

// Step implements Party: it writes one manifest.
func (g *Git) Step(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	g.write(ctx, g.organization.Person(g.random))
}

func (g *Git) write(ctx context.Context, person *Subject) {
	claim := g.organization.Declaration(person.Name)
	err := g.world.Cluster.Get(ctx, client.ObjectKeyFromObject(claim), claim)
	switch {
	case apierrors.IsNotFound(err):
		g.specify(claim)
		err = g.world.Cluster.Create(ctx, claim)
	case err != nil, !claim.DeletionTimestamp.IsZero():
		return
	case g.random.IntN(40) == 0 && g.mayDelete(person):
		err = g.world.Cluster.Delete(ctx, claim)
	default:
		g.specify(claim)
		err = g.world.Cluster.Update(ctx, claim)
	}
	if err == nil {
		g.world.Manifests.Add(1)
	}
}

// specify invents a spec: usually the person is active, sometimes active is unset, seldom the person is denied.
func (g *Git) specify(claim *v1alpha1.LambdaTestUser) {
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
func (g *Git) mayDelete(person *Subject) bool {
	if person.sure.Load() {
		return true
	}
	g.farewells++
	return g.farewells <= farewells
}

// Declaration is the declared resource of a person.
func (o *Organization) Declaration(userName string) *v1alpha1.LambdaTestUser {
	return &v1alpha1.LambdaTestUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: "git-" + v1alpha1.PersonDigest(o.Name, userName)},
		Spec: v1alpha1.LambdaTestUserSpec{
			OrganizationRef: v1alpha1.OrganizationReference{Name: o.Name},
			UserName:        userName,
			Name:            v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"},
		},
	}
}

// Enlist declares the people who will be pruned.
func (w *World) Enlist(ctx context.Context, o *Organization) error {
	for i := range crewSize {
		userName := o.address(fmt.Sprintf("crew-%02d", i))
		if err := w.Cluster.Create(ctx, o.Declaration(userName)); err != nil {
			return fmt.Errorf("declaring %s: %w", userName, err)
		}
		o.mu.Lock()
		o.crew = append(o.crew, userName)
		o.mu.Unlock()
	}
	return nil
}

// Prune deletes the whole crew at once, as when a folder is removed from Git. It repeats each write until it is done or ctx ends.
func (w *World) Prune(ctx context.Context, o *Organization) error {
	var last error
	for _, userName := range o.Crew() {
		claim := o.Declaration(userName)
		for ctx.Err() == nil {
			if last = client.IgnoreNotFound(w.Cluster.Delete(ctx, claim)); last == nil {
				break
			}
			Pause(ctx, prunePause)
		}
	}
	return last
}
