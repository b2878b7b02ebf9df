// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// restoreAccount may create what the SCIM endpoint creates, by the admission policy; here with the rights of the operator.
	restoreAccount = "lambdatest-restore"
	// hands is how many create people at once.
	hands = 16
	// seldom is a syncInterval that is so long that no sweep disturbs other measurements.
	seldom = 24 * time.Hour
	// settlePoll is the pause between two looks at how far the operator is, and settleTimeout what it may take.
	settlePoll    = 100 * time.Millisecond
	settleTimeout = 20 * time.Minute
)

// people is an organization with its people. Their number grows, and many benchmarks use them.
type people struct {
	*environment.Organization
	count int

	run *run
	env *environment.Environment
	raw client.Client
}

// person is the one with the number; those up to count exist.
func (p *people) person(number int) person { return person{p.Name, number} }

// suspended is the organization on which the SCIM endpoint is measured: the operator makes no calls for it. It has at least that many
// people.
func (r *run) suspended(ctx context.Context, count int) (*people, error) {
	p, err := r.shareOrganization(ctx, "suspended")
	if err != nil {
		return nil, err
	}
	if err := p.suspend(ctx, true); err != nil {
		return nil, err
	}
	return p, p.hire(ctx, count)
}

// standing is an organization in which at least that many people are in sync with LambdaTest. Their accounts existed before, so the
// operator only made the calls of a sweep.
func (r *run) standing(ctx context.Context, count int) (*people, error) {
	p, err := r.shareOrganization(ctx, "standing")
	if err != nil {
		return nil, err
	}
	return p, p.employ(ctx, count)
}

func (r *run) shareOrganization(ctx context.Context, name string) (*people, error) {
	if _, err := r.environment(ctx); err != nil {
		return nil, err
	}
	if p, known := r.shared[name]; known {
		return p, nil
	}
	p, err := r.newPeople(ctx, environment.Organization{
		Name: name,
		Spec: v1alpha1.LambdaTestOrganizationSpec{
			SyncInterval: metav1.Duration{Duration: seldom},
			RateLimit:    v1alpha1.RateLimit{RequestsPerSecond: 1000, Burst: 1000},
		},
	})
	if err != nil {
		return nil, err
	}
	r.shared[name] = p
	return p, nil
}

// newPeople adds an organization in which nobody is yet.
func (r *run) newPeople(ctx context.Context, organization environment.Organization) (*people, error) {
	env, err := r.environment(ctx)
	if err != nil {
		return nil, err
	}
	added, err := env.AddOrganization(ctx, organization)
	if err != nil {
		return nil, err
	}
	config, err := restoreConfig(ctx, env)
	if err != nil {
		return nil, err
	}
	raw, err := client.New(config, client.Options{Scheme: env.Client.Scheme()})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return &people{Organization: added, run: r, env: env, raw: raw}, nil
}

// restoreConfig is that of the account that restores backups. It gets the operator's own role, so that the API server has the same
// rules to look through for either.
func restoreConfig(ctx context.Context, env *environment.Environment) (*rest.Config, error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: environment.OperatorNamespace, Name: restoreAccount}}
	if err := client.IgnoreAlreadyExists(env.Client.Create(ctx, account)); err != nil {
		return nil, err
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: restoreAccount},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "lambdatest-operator"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: account.Namespace, Name: account.Name}},
	}
	if err := client.IgnoreAlreadyExists(env.Client.Create(ctx, binding)); err != nil {
		return nil, err
	}
	return env.Plane.ServiceAccountConfig(ctx, account.Namespace, account.Name)
}

// suspend stops or resumes the organization.
func (p *people) suspend(ctx context.Context, suspended bool) error {
	return p.configure(ctx, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.Suspend = suspended })
}

// configure changes the resource of the organization.
func (p *people) configure(ctx context.Context, change func(*v1alpha1.LambdaTestOrganization)) error {
	organization, err := p.resource(ctx)
	if err != nil {
		return err
	}
	before := organization.DeepCopy()
	change(organization)
	return p.env.Client.Patch(ctx, organization, client.MergeFrom(before))
}

func (p *people) resource(ctx context.Context) (*v1alpha1.LambdaTestOrganization, error) {
	organization := &v1alpha1.LambdaTestOrganization{}
	return organization, p.env.Client.Get(ctx, client.ObjectKey{Namespace: environment.Namespace, Name: p.Name}, organization)
}

// hire creates the resources of people until there are so many.
func (p *people) hire(ctx context.Context, count int) error {
	if count <= p.count {
		return nil
	}
	p.run.progress("%s: from %d people to %d", p.Name, p.count, count)
	err := sideBySide(hands, count-p.count, func(i int) error {
		return p.raw.Create(ctx, p.person(p.count+i+1).resource())
	})
	p.count = count
	return err
}

// employ creates people whose accounts exist already, up to that number, and returns when all are in sync.
func (p *people) employ(ctx context.Context, count int) error {
	if count <= p.count {
		return nil
	}
	if err := p.admit(ctx, count); err != nil {
		return err
	}
	if err := p.hire(ctx, count); err != nil {
		return err
	}
	return p.settled(ctx)
}

// admit adds the accounts of people who are not hired yet, and returns when a sweep has seen them.
func (p *people) admit(ctx context.Context, count int) error {
	for number := p.count + 1; number <= count; number++ {
		p.LambdaTest.AddAccount(p.person(number).account())
	}
	return p.sweep(ctx)
}

// sweep requests a sweep, and returns when its last page was read.
func (p *people) sweep(ctx context.Context) error {
	wanted := p.LambdaTest.Count(listUsers) + max(1, (len(p.LambdaTest.Accounts())+pageSize-1)/pageSize)
	err := p.configure(ctx, func(o *v1alpha1.LambdaTestOrganization) {
		metav1.SetMetaDataAnnotation(&o.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, time.Now().Format(time.RFC3339Nano))
	})
	if err != nil {
		return err
	}
	return p.awaitPages(ctx, wanted)
}

// awaitPages returns when that many pages were read in all.
func (p *people) awaitPages(ctx context.Context, wanted int) error {
	return p.await(ctx, func(context.Context) error {
		if seen := p.LambdaTest.Count(listUsers); seen < wanted {
			return fmt.Errorf("the sweep is at call %d of %d", seen, wanted)
		}
		return nil
	})
}

// settled returns when the organization says that all its people are in sync.
func (p *people) settled(ctx context.Context) error {
	return p.await(ctx, func(ctx context.Context) error {
		organization, err := p.resource(ctx)
		if err != nil {
			return err
		}
		if synced := organization.Status.Synced; synced == nil || int(*synced) != p.count {
			return fmt.Errorf("%v of %d people are in sync", synced, p.count)
		}
		return nil
	})
}

// await calls check until it returns nil, for much longer than environment.Await would.
func (p *people) await(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	ticker := time.NewTicker(settlePoll)
	defer ticker.Stop()
	for {
		complaint := check(ctx)
		if complaint == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for organization %s: %w (%w)", p.Name, complaint, ctx.Err())
		case <-ticker.C:
		}
	}
}
