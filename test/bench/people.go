// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

// person is somebody at the identity provider: the same number is the same person in each run.
type person struct {
	organization string
	number       int
}

// familyNames are twenty, of which two have an x.
var familyNames = []string{
	"Lovelace", "Hopper", "Johnson", "Hamilton", "Perlman", "Liskov", "Goldwasser", "Allen", "Knox", "Turing",
	"Dijkstra", "Hoare", "Knuth", "Ritchie", "Thompson", "Kernighan", "Lamport", "Wirth", "Backus", "Bachman-Fox",
}

func (p person) userName() string {
	return fmt.Sprintf("person.%06d@%s.example.com", p.number, p.organization)
}
func (p person) givenName() string  { return fmt.Sprintf("Given%06d", p.number) }
func (p person) familyName() string { return familyNames[p.number%len(familyNames)] }
func (p person) externalID() string { return fmt.Sprintf("00u%017d", p.number) }

// id is the SCIM id and the name of the resource.
func (p person) id() string { return v1alpha1.SCIMUserName(p.organization, p.userName()) }

// account is the person at LambdaTest, as the resource wants it.
func (p person) account() simulator.Account {
	return simulator.Account{
		UserName: p.userName(), GivenName: p.givenName(), FamilyName: p.familyName(), Active: true, Role: string(v1alpha1.RoleUser),
	}
}

// resource is what the SCIM endpoint writes for a POST of the person.
func (p person) resource() *v1alpha1.LambdaTestUser {
	now := time.Now().UTC()
	return &v1alpha1.LambdaTestUser{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: environment.Namespace,
			Name:      p.id(),
			Labels: map[string]string{
				v1alpha1.SourceLabel: v1alpha1.SourceSCIM,
				v1alpha1.PersonLabel: v1alpha1.PersonDigest(p.organization, p.userName()),
			},
			Annotations: map[string]string{
				v1alpha1.CreatedAnnotation:      now.Format(time.RFC3339Nano),
				v1alpha1.LastModifiedAnnotation: now.Format(time.RFC3339),
			},
			Finalizers: []string{v1alpha1.Finalizer},
		},
		Spec: v1alpha1.LambdaTestUserSpec{
			OrganizationRef: v1alpha1.OrganizationReference{Name: p.organization},
			UserName:        p.userName(),
			Name:            v1alpha1.PersonName{GivenName: p.givenName(), FamilyName: p.familyName()},
			Role:            v1alpha1.RoleUser,
			Active:          new(true),
			ExternalID:      p.externalID(),
			DisplayName:     p.givenName() + " " + p.familyName(),
			Emails:          []v1alpha1.Email{{Value: p.userName(), Type: "work", Primary: true}},
		},
	}
}
