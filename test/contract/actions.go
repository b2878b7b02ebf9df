// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	"github.com/lambdatest-operator/lambdatest-operator/test/parties"
)

// What kubectl, the identity provider and administrators at LambdaTest do.

const (
	userSchema     = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema    = "urn:ietf:params:scim:schemas:core:2.0:Group"
	patchSchema    = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	userExtension  = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"
	groupExtension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group"

	// raceTimeout is how long an administrator waits for the operator's POST.
	raceTimeout = 20 * time.Second
)

type attributes = map[string]any

// claim is what somebody says about a person.
type claim struct {
	local            string
	role             v1alpha1.Role
	concurrencyGroup string
	denies           bool
}

// resource is the name of what Git declares.
func (s *story) resource(name string) string { return s.name() + "-" + strings.ToLower(name) }

func (s *story) declare(ctx context.Context, claims ...claim) error {
	for _, c := range claims {
		user := &v1alpha1.LambdaTestUser{
			ObjectMeta: metav1.ObjectMeta{Namespace: environment.Namespace, Name: s.resource(c.local)},
			Spec: v1alpha1.LambdaTestUserSpec{
				OrganizationRef:  v1alpha1.OrganizationReference{Name: s.name()},
				UserName:         s.of(c.local).userName,
				Name:             v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"},
				Role:             c.role,
				ConcurrencyGroup: c.concurrencyGroup,
			},
		}
		if c.denies {
			user.Spec.Active = new(false)
		}
		if err := s.run.env.Client.Create(ctx, user); err != nil {
			return fmt.Errorf("declaring %s: %w", c.local, err)
		}
	}
	return nil
}

func (s *story) redeclare(ctx context.Context, local string, change func(*v1alpha1.LambdaTestUser)) error {
	user := &v1alpha1.LambdaTestUser{ObjectMeta: metav1.ObjectMeta{Namespace: environment.Namespace, Name: s.resource(local)}}
	return patched(ctx, s.run.env.Client, user, change)
}

// request asks the operator to read the account again.
func (s *story) request(ctx context.Context, local string) error {
	return s.redeclare(ctx, local, func(u *v1alpha1.LambdaTestUser) {
		metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.ReconcileRequestedAtAnnotation, time.Now().Format(time.RFC3339Nano))
	})
}

func (s *story) delete(ctx context.Context, local string) error {
	user := &v1alpha1.LambdaTestUser{ObjectMeta: metav1.ObjectMeta{Namespace: environment.Namespace, Name: s.resource(local)}}
	if err := s.run.env.Client.Delete(ctx, user); err != nil {
		return fmt.Errorf("deleting %s: %w", local, err)
	}
	return nil
}

func (s *story) declareGroup(ctx context.Context, name, displayName string, role v1alpha1.Role, members ...string) error {
	group := &v1alpha1.LambdaTestGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: environment.Namespace, Name: s.resource(name)},
		Spec: v1alpha1.LambdaTestGroupSpec{
			OrganizationRef: v1alpha1.OrganizationReference{Name: s.name()},
			DisplayName:     displayName,
		},
	}
	if role != "" {
		group.Spec.Roles = []v1alpha1.Role{role}
	}
	for _, local := range members {
		group.Spec.Members = append(group.Spec.Members, s.address(strings.ToLower(local)))
	}
	if err := s.run.env.Client.Create(ctx, group); err != nil {
		return fmt.Errorf("declaring group %s: %w", name, err)
	}
	return nil
}

func (s *story) changeGroup(ctx context.Context, name string, change func(*v1alpha1.LambdaTestGroup)) error {
	group := &v1alpha1.LambdaTestGroup{ObjectMeta: metav1.ObjectMeta{Namespace: environment.Namespace, Name: s.resource(name)}}
	return patched(ctx, s.run.env.Client, group, change)
}

func (s *story) deleteGroup(ctx context.Context, name string) error {
	group := &v1alpha1.LambdaTestGroup{ObjectMeta: metav1.ObjectMeta{Namespace: environment.Namespace, Name: s.resource(name)}}
	if err := s.run.env.Client.Delete(ctx, group); err != nil {
		return fmt.Errorf("deleting group %s: %w", name, err)
	}
	return nil
}

// patched reads a resource, changes it, and writes the difference.
func patched[T client.Object](ctx context.Context, cluster client.Client, object T, change func(T)) error {
	if err := cluster.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return fmt.Errorf("reading what is to change: %w", err)
	}
	before := object.DeepCopyObject().(T)
	change(object)
	if err := cluster.Patch(ctx, object, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("changing %s: %w", object.GetName(), err)
	}
	return nil
}

// provision lets the identity provider create a person.
func (s *story) provision(ctx context.Context, c claim) error {
	extension := attributes{}
	if c.role != "" {
		extension["OrganizationRole"] = c.role
	}
	answer, err := s.scim(ctx, http.MethodPost, "/Users", attributes{
		"schemas": []string{userSchema, userExtension}, "userName": s.of(c.local).userName, "active": true,
		"name": attributes{"givenName": "Ada", "familyName": "Lovelace"}, userExtension: extension,
	}, http.StatusCreated)
	if err == nil {
		s.ids[c.local], _ = answer["id"].(string)
	}
	return err
}

func (s *story) patchUser(ctx context.Context, local, path string, value any) error {
	change := attributes{"op": "replace", "value": value}
	if path != "" {
		change["path"] = path
	}
	_, err := s.scim(ctx, http.MethodPatch, "/Users/"+s.ids[local],
		attributes{"schemas": []string{patchSchema}, "Operations": []attributes{change}}, http.StatusOK)
	return err
}

func (s *story) deprovision(ctx context.Context, local string) error {
	_, err := s.scim(ctx, http.MethodDelete, "/Users/"+s.ids[local], nil, http.StatusNoContent)
	return err
}

func (s *story) provisionGroup(ctx context.Context, displayName, role string, members ...string) error {
	list := []attributes{}
	for _, local := range members {
		list = append(list, attributes{"value": s.ids[local]})
	}
	answer, err := s.scim(ctx, http.MethodPost, "/Groups", attributes{
		"schemas": []string{groupSchema, groupExtension}, "displayName": displayName, "members": list,
		groupExtension: attributes{"LambdatestRoles": []string{role}},
	}, http.StatusCreated)
	if err == nil {
		s.ids[displayName], _ = answer["id"].(string)
	}
	return err
}

// scim sends a request of the identity provider and expects that status.
func (s *story) scim(ctx context.Context, method, path string, body any, status int) (attributes, error) {
	reply, err := parties.NewEndpoint(s.run.env.Front.SCIMURL, http.DefaultClient).Send(ctx, s.SCIMToken, method, path, "", body)
	if err == nil && reply.Status != status {
		err = fmt.Errorf("%s %s answered %d: %v", method, path, reply.Status, reply.Body)
	}
	return reply.Body, err
}

// race declares a person for whom an administrator creates an account while the operator's POST is on its way.
func (s *story) race(ctx context.Context, c claim, account simulator.Account) error {
	p := s.of(c.local)
	p.raced = true
	if !account.Active {
		p.ons++
	}
	hold := s.LambdaTest.HoldNext(simulator.On("POST /Users"))
	defer hold.Release()
	if err := s.declare(ctx, c); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, raceTimeout)
	defer cancel()
	select {
	case <-hold.Arrived():
	case <-ctx.Done():
		return errors.New("no POST came for " + c.local)
	}
	account.UserName, account.GivenName, account.FamilyName = p.userName, "Ada", "Lovelace"
	s.LambdaTest.AddAccount(account)
	return nil
}

func (s *story) edit(local string, change func(*simulator.Account)) error {
	_, err := s.LambdaTest.EditAccount(s.address(local), change)
	return err
}

// retire suspends the organization, so that it does not disturb the others.
func (s *story) retire(ctx context.Context) {
	organization := &v1alpha1.LambdaTestOrganization{ObjectMeta: metav1.ObjectMeta{Namespace: environment.Namespace, Name: s.name()}}
	suspended := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"suspend":true}}`))
	if err := s.run.env.Client.Patch(ctx, organization, suspended); err != nil {
		s.violate("story", "", "suspending the organization: %s", err)
	}
}
