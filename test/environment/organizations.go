// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package environment

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// syncInterval is the time between sweeps of the simulated organizations: short enough to watch.
const syncInterval = 2 * time.Second

// Organization is a LambdaTestOrganization and the simulated organization behind it.
type Organization struct {
	// Name of the resource and of the simulated organization.
	Name string
	// Spec of the resource; baseURL and tokenSecretRef are filled in.
	Spec v1alpha1.LambdaTestOrganizationSpec
	// Simulate configures the simulated organization.
	Simulate []simulator.Option

	// LambdaTest is the simulated organization, UpstreamToken its token; SCIMToken is what an identity provider presents.
	LambdaTest    *simulator.Org
	UpstreamToken string
	SCIMToken     string
}

// Organizations returns the organizations of `make run`: "default", and "any", which accepts every userName.
func Organizations() []Organization {
	spec := v1alpha1.LambdaTestOrganizationSpec{
		SyncInterval: metav1.Duration{Duration: syncInterval},
		RateLimit:    v1alpha1.RateLimit{RequestsPerSecond: 100, Burst: 100},
	}
	anyName := spec
	anyName.SCIM.UserNamePolicy = v1alpha1.UserNameAny
	return []Organization{{Name: "default", Spec: spec}, {Name: "any", Spec: anyName}}
}

func (e *Environment) createOrganizations(ctx context.Context, organizations []Organization) error {
	for i := range organizations {
		organization := organizations[i]
		if err := e.createOrganization(ctx, &organization); err != nil {
			return fmt.Errorf("creating organization %s: %w", organization.Name, err)
		}
		e.Organizations[organization.Name] = &organization
	}
	return nil
}

// AddOrganization creates one more organization while everything runs, and returns when it is ready.
func (e *Environment) AddOrganization(ctx context.Context, organization Organization) (*Organization, error) {
	e.simulate(&organization)
	if err := e.createOrganizations(ctx, []Organization{organization}); err != nil {
		return nil, err
	}
	added := e.Organizations[organization.Name]
	if err := Await(ctx, func(ctx context.Context) error { return e.findToken(ctx, added) }); err != nil {
		return nil, fmt.Errorf("waiting for organization %s: %w", added.Name, err)
	}
	return added, nil
}

// startSimulator serves the simulated organizations; more may be added later.
func (e *Environment) startSimulator(organizations []Organization) ([]Organization, error) {
	prepared := slices.Clone(organizations)
	for i := range prepared {
		e.simulate(&prepared[i])
	}
	if e.Simulator == nil {
		e.Simulator = simulator.New()
	}
	return prepared, e.Simulator.Listen("127.0.0.1:0")
}

// simulate adds the simulated organization. The first one is the simulator's default, whose state it shows without "?org=".
func (e *Environment) simulate(organization *Organization) {
	organization.UpstreamToken = rand.Text()
	organization.Simulate = append([]simulator.Option{simulator.Name(organization.Name)}, organization.Simulate...)
	if e.Simulator == nil {
		e.Simulator = simulator.New(append([]simulator.Option{simulator.Token(organization.UpstreamToken)}, organization.Simulate...)...)
		organization.LambdaTest = e.Simulator.Org
		return
	}
	organization.LambdaTest = e.Simulator.AddOrg(organization.Name, organization.UpstreamToken, organization.Simulate...)
}

func (e *Environment) createOrganization(ctx context.Context, organization *Organization) error {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: organization.Name + "-lambdatest-token"},
		StringData: map[string]string{v1alpha1.DefaultTokenKey: organization.UpstreamToken},
	}
	resource := &v1alpha1.LambdaTestOrganization{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: organization.Name},
		Spec:       organization.Spec,
	}
	resource.Spec.BaseURL = e.Simulator.BaseURL()
	resource.Spec.TokenSecretRef.Name = secret.Name
	if err := e.Client.Create(ctx, secret); err != nil {
		return err
	}
	return e.Client.Create(ctx, resource)
}

// waitForOrganizations returns when every organization is ready and has a token for an identity provider.
func (e *Environment) waitForOrganizations(ctx context.Context) error {
	for _, organization := range e.Organizations {
		err := Await(ctx, func(ctx context.Context) error { return e.findToken(ctx, organization) })
		if err != nil {
			return fmt.Errorf("waiting for organization %s: %w", organization.Name, err)
		}
	}
	return nil
}

func (e *Environment) findToken(ctx context.Context, organization *Organization) error {
	resource := &v1alpha1.LambdaTestOrganization{}
	if err := e.Client.Get(ctx, client.ObjectKey{Namespace: Namespace, Name: organization.Name}, resource); err != nil {
		return err
	}
	ready := meta.FindStatusCondition(resource.Status.Conditions, v1alpha1.ReadyCondition)
	if ready == nil || ready.Status != metav1.ConditionTrue {
		return fmt.Errorf("it is not ready: %+v", ready)
	}
	secret := &corev1.Secret{}
	if err := e.Client.Get(ctx, client.ObjectKey{Namespace: Namespace, Name: resource.SCIMTokenSecretName()}, secret); err != nil {
		return err
	}
	for _, token := range secret.Data {
		organization.SCIMToken = string(token)
	}
	return e.Accepts(ctx, organization.SCIMToken)
}

// Accepts returns nil once every replica accepts the SCIM token: each reads a new Secret by itself, some time after it was written.
func (e *Environment) Accepts(ctx context.Context, token string) error {
	for _, replica := range e.Replicas {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, replica.SCIMURL+"/Users?count=0", http.NoBody)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return fmt.Errorf("asking replica %s: %w", replica.SCIMURL, err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("replica %s answers %s to the SCIM token", replica.SCIMURL, response.Status)
		}
	}
	return nil
}
