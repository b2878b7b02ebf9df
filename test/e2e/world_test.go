// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

// sweep is how often the organizations of the scenarios are compared.
const sweep = 2 * time.Second

// world is one organization: what Git declares, what the identity provider says, and what LambdaTest has.
type world struct {
	*environment.Organization
}

// newWorld creates an organization for one scenario. Changes are made to its spec before.
func newWorld(ctx context.Context, changes ...func(*environment.Organization)) *world {
	GinkgoHelper()
	organization := environment.Organization{
		Name: fmt.Sprintf("org-%d-%d", GinkgoParallelProcess(), time.Now().UnixNano()),
		Spec: v1alpha1.LambdaTestOrganizationSpec{
			SyncInterval: metav1.Duration{Duration: sweep},
			RateLimit:    v1alpha1.RateLimit{RequestsPerSecond: 200, Burst: 200},
		},
	}
	for _, change := range changes {
		change(&organization)
	}
	added, err := env.AddOrganization(ctx, organization)
	Expect(err).NotTo(HaveOccurred())
	return &world{added}
}

// address is a userName that no other scenario uses: an address belongs to one LambdaTest organization only.
func (w *world) address(name string) string {
	return name + "@" + w.Name + ".example.com"
}

// declare creates or updates the resource that Git has about somebody. The name of the resource is unique per organization.
func (w *world) declare(ctx context.Context, userName string, changes ...func(*v1alpha1.LambdaTestUser)) *v1alpha1.LambdaTestUser {
	GinkgoHelper()
	user := &v1alpha1.LambdaTestUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: environment.Namespace, Name: w.declaredName(userName)},
		Spec: v1alpha1.LambdaTestUserSpec{
			OrganizationRef: v1alpha1.OrganizationReference{Name: w.Name},
			UserName:        userName,
			Name:            v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"},
		},
	}
	for _, change := range changes {
		change(user)
	}
	Expect(env.Client.Create(ctx, user)).To(Succeed())
	return user
}

func (w *world) declaredName(userName string) string {
	return "git-" + v1alpha1.PersonDigest(w.Name, userName)
}

func role(role v1alpha1.Role) func(*v1alpha1.LambdaTestUser) {
	return func(user *v1alpha1.LambdaTestUser) { user.Spec.Role = role }
}

// claim returns a resource as it is now.
func (w *world) claim(ctx context.Context, name string) (*v1alpha1.LambdaTestUser, error) {
	user := &v1alpha1.LambdaTestUser{}
	err := env.Client.Get(ctx, client.ObjectKey{Namespace: environment.Namespace, Name: name}, user)
	return user, err
}

// reasonOf returns a function for Eventually: the reason of the Ready condition of a resource.
func (w *world) reasonOf(ctx context.Context, name string) func() (string, error) {
	return func() (string, error) {
		user, err := w.claim(ctx, name)
		if err != nil {
			return "", err
		}
		if user.Status.ObservedGeneration != user.Generation {
			return "", fmt.Errorf("generation %d was not observed yet", user.Generation)
		}
		ready := meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ReadyCondition)
		if ready == nil {
			return "", fmt.Errorf("%s has no condition", name)
		}
		return ready.Reason, nil
	}
}

// account returns a function for Eventually: the account at LambdaTest.
func (w *world) account(userName string) func() (simulator.Account, error) {
	return func() (simulator.Account, error) {
		account, found := w.LambdaTest.Account(userName)
		if !found {
			return account, fmt.Errorf("LambdaTest has no account of %s", userName)
		}
		return account, nil
	}
}

// afterSweeps waits until the organization was compared that many times from now on.
func (w *world) afterSweeps(count int) {
	GinkgoHelper()
	pages := 1 + len(w.LambdaTest.Accounts())/100
	Eventually(func() int { return w.LambdaTest.Count("GET /Users") }).
		Should(BeNumerically(">=", w.LambdaTest.Count("GET /Users")+(count+1)*pages))
}

// scim sends a request of the identity provider to the next replica and expects an answer.
func (w *world) scim(ctx context.Context, method, path string, body any, status int) map[string]any {
	GinkgoHelper()
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		Expect(err).NotTo(HaveOccurred())
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, env.Front.SCIMURL+path, content)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+w.SCIMToken)
	request.Header.Set("Content-Type", "application/scim+json")
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	Expect(response.StatusCode).To(Equal(status), "%s %s: %s", method, path, answer)
	if len(answer) == 0 {
		return nil
	}
	decoded := map[string]any{}
	Expect(json.Unmarshal(answer, &decoded)).To(Succeed())
	return decoded
}

// provision lets the identity provider create somebody and returns the SCIM id.
func (w *world) provision(ctx context.Context, userName string, extra ...map[string]any) string {
	GinkgoHelper()
	body := map[string]any{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": userName,
		"name":     map[string]any{"givenName": "Ada", "familyName": "Lovelace"},
		"active":   true,
	}
	for _, attributes := range extra {
		for name, value := range attributes {
			body[name] = value
		}
	}
	return w.scim(ctx, http.MethodPost, "/Users", body, http.StatusCreated)["id"].(string)
}

// push is GET, then PUT of what came, merged with the changes.
func (w *world) push(ctx context.Context, id string, changes map[string]any) map[string]any {
	GinkgoHelper()
	current := w.scim(ctx, http.MethodGet, "/Users/"+id, nil, http.StatusOK)
	for name, value := range changes {
		current[name] = value
	}
	return w.scim(ctx, http.MethodPut, "/Users/"+id, current, http.StatusOK)
}
