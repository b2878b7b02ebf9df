// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	"github.com/lambdatest-operator/lambdatest-operator/test/parties"
)

const (
	// sweepInterval is the syncInterval of the organizations; with its jitter and the reading it is well below ten seconds.
	sweepInterval = 6 * time.Second
	// sweepTime is the promised time for the correction of a change at LambdaTest itself.
	sweepTime = 10 * time.Second
	// patientRate is the limit of the organization that hires in waves: a wave takes it ten seconds.
	patientRate = 20
)

// tenant is one organization: a namespace, a simulated LambdaTest, and the tokens of both sides.
type tenant struct {
	*parties.Organization
	client client.Client
	// rotating is locked while tokens are changed.
	rotating sync.Mutex
}

func (t *tenant) scimSecret() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: t.Name + "-provider"}}
}

func (t *tenant) upstreamSecret() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: t.Name + "-lambdatest-token"}}
}

// createTenant creates an organization that reaches LambdaTest over its link, and returns when it is ready.
func createTenant(ctx context.Context, env *environment.Environment, l *link, name, namespace string, seed uint64, rate int32) (*tenant, error) {
	upstreamToken, scimToken := rand.Text(), longToken()
	lambdaTest := env.Simulator.AddOrg(name, upstreamToken,
		simulator.Name(name), simulator.Seed(seed), simulator.KeepChanges(), simulator.ConcurrencyGroups("QA"))
	t := &tenant{Organization: parties.NewOrganization(name, namespace, lambdaTest, scimToken), client: env.Client}
	upstream, provider := t.upstreamSecret(), t.scimSecret()
	upstream.StringData = map[string]string{v1alpha1.DefaultTokenKey: upstreamToken}
	provider.StringData = map[string]string{"first": scimToken}
	organization := &v1alpha1.LambdaTestOrganization{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.LambdaTestOrganizationSpec{
			BaseURL:        "http://" + l.address() + simulator.Prefix,
			TokenSecretRef: v1alpha1.SecretKeyReference{Name: upstream.Name, Key: v1alpha1.DefaultTokenKey},
			SyncInterval:   metav1.Duration{Duration: sweepInterval},
			RateLimit:      v1alpha1.RateLimit{RequestsPerSecond: rate, Burst: rate},
		},
	}
	organization.Spec.SCIM.TokenSecretRef = &v1alpha1.SecretReference{Name: provider.Name}
	if namespace != environment.Namespace {
		if err := env.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
			return nil, err
		}
	}
	for _, object := range []client.Object{upstream, provider, organization} {
		if err := env.Client.Create(ctx, object); err != nil {
			return nil, fmt.Errorf("creating organization %s: %w", name, err)
		}
	}
	return t, environment.Await(ctx, t.ready)
}

func (t *tenant) ready(ctx context.Context) error {
	organization := &v1alpha1.LambdaTestOrganization{}
	if err := t.client.Get(ctx, client.ObjectKey{Namespace: t.Namespace, Name: t.Name}, organization); err != nil {
		return err
	}
	if !meta.IsStatusConditionTrue(organization.Status.Conditions, v1alpha1.ReadyCondition) {
		return fmt.Errorf("organization %s is not ready: %+v", t.Name, organization.Status.Conditions)
	}
	return nil
}

// longToken has the length that the endpoint asks for.
func longToken() string { return rand.Text() + rand.Text() }
