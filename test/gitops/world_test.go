// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	ada   = "ada"
	alan  = "alan"
	grace = "grace"

	// sweep is how often the organizations of the scenarios are compared.
	sweep = 2 * time.Second
)

// world is one organization: what its repository declares, what its identity provider says, and what LambdaTest has.
type world struct {
	*environment.Organization
	git *repository
}

// newWorld creates an organization and an empty repository. Changes are made to the organization before.
func newWorld(ctx context.Context, changes ...func(*environment.Organization)) *world {
	GinkgoHelper()
	organization := environment.Organization{
		Name: fmt.Sprintf("org-%d", time.Now().UnixNano()),
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
	w := &world{Organization: added, git: repositories.create(ctx, organization.Name)}
	DeferCleanup(func(ctx SpecContext) {
		Expect(env.Client.Patch(ctx, w.resource(ctx), suspend)).To(Succeed(), "the next scenario has the machine for itself")
	})
	return w
}

// suspend is what stops an organization, a GitRepository and a Kustomization alike.
var suspend = client.RawPatch(types.MergePatchType, []byte(`{"spec":{"suspend":true}}`))

// resource is the organization as it is now.
func (w *world) resource(ctx context.Context) *v1alpha1.LambdaTestOrganization {
	GinkgoHelper()
	organization := &v1alpha1.LambdaTestOrganization{}
	Expect(env.Client.Get(ctx, client.ObjectKey{Namespace: environment.Namespace, Name: w.Name}, organization)).To(Succeed())
	return organization
}

// claims are all resources about people of the organization.
func (w *world) claims(ctx context.Context) []v1alpha1.LambdaTestUser {
	GinkgoHelper()
	list := &v1alpha1.LambdaTestUserList{}
	Expect(env.Client.List(ctx, list, client.InNamespace(environment.Namespace),
		client.MatchingFields{"spec.organizationRef.name": w.Name})).To(Succeed())
	return list.Items
}

// flux follows the repository until the spec ends.
func (w *world) flux(ctx context.Context) *kustomization {
	GinkgoHelper()
	return follow(ctx, w.Name, w.git)
}

// address is somebody's userName. LambdaTest has each address in one organization only, so every scenario has its own.
func (w *world) address(who string) string { return who + "@" + w.Name + ".example.com" }

// person is a manifest in the repository.
func (w *world) person(who string, lines ...string) change {
	return file(fileName(who), w.manifest(who, lines...))
}

// manifest declares somebody. Lines are added to the spec.
func (w *world) manifest(who string, lines ...string) string {
	var manifest strings.Builder
	fmt.Fprintf(&manifest, `apiVersion: %s
kind: LambdaTestUser
metadata:
  name: %s
  namespace: %s
spec:
  organizationRef: {name: %s}
  userName: %s
  name: {givenName: %s, familyName: Example}
`, v1alpha1.SchemeGroupVersion, w.declaredName(who), environment.Namespace, w.Name, w.address(who), who)
	for _, line := range lines {
		fmt.Fprintf(&manifest, "  %s\n", line)
	}
	return manifest.String()
}

func fileName(who string) string { return who + ".yaml" }

// declaredName is unique per organization, because all scenarios share a namespace.
func (w *world) declaredName(who string) string { return who + "-" + w.Name }

// declared returns a function for Eventually: the resource from the repository.
func (w *world) declared(ctx context.Context, who string) func() (*v1alpha1.LambdaTestUser, error) {
	return claim(ctx, w.declaredName(who))
}

// claim returns a function for Eventually: a resource as it is now.
func claim(ctx context.Context, name string) func() (*v1alpha1.LambdaTestUser, error) {
	return func() (*v1alpha1.LambdaTestUser, error) {
		user := &v1alpha1.LambdaTestUser{}
		err := env.Client.Get(ctx, client.ObjectKey{Namespace: environment.Namespace, Name: name}, user)
		return user, err
	}
}

// exists returns a function for Eventually: whether the resource is there.
func exists(ctx context.Context, name string) func() (bool, error) {
	return func() (bool, error) {
		_, err := claim(ctx, name)()
		return err == nil, client.IgnoreNotFound(err)
	}
}

// must is for what a spec reads in passing.
func must[T any](value T, err error) T {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	return value
}

// account returns a function for Eventually: the account at LambdaTest.
func (w *world) account(who string) func() (simulator.Account, error) {
	return func() (simulator.Account, error) {
		account, found := w.LambdaTest.Account(w.address(who))
		if !found {
			return account, fmt.Errorf("LambdaTest has no account of %s", w.address(who))
		}
		return account, nil
	}
}

// active returns those who may sign in, in the order of their accounts.
func (w *world) active() []string {
	var active []string
	for _, account := range w.LambdaTest.Accounts() {
		if account.Active {
			active = append(active, strings.TrimSuffix(account.UserName, w.address("")))
		}
	}
	return active
}

// settled waits until the organization has compared, and counts that many people of whom LambdaTest has what is wanted.
func (w *world) settled(ctx context.Context, people int) {
	GinkgoHelper()
	w.afterSweeps(1)
	Eventually(func() *v1alpha1.LambdaTestOrganization { return w.resource(ctx) }).Should(HaveField("Status", And(
		HaveField("People", HaveValue(BeEquivalentTo(people))),
		HaveField("Synced", HaveValue(BeEquivalentTo(people))),
		HaveField("Active", HaveValue(BeEquivalentTo(people))),
	)))
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
	decoded := map[string]any{}
	if len(answer) > 0 {
		Expect(json.Unmarshal(answer, &decoded)).To(Succeed())
	}
	return decoded
}

// extension is where a role stands, as Okta sends it.
const extension = "urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:User"

// assign lets Okta create somebody and returns the SCIM id, which is the name of the resource.
func (w *world) assign(ctx context.Context, who string, role v1alpha1.Role) string {
	GinkgoHelper()
	body := map[string]any{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User", extension},
		"userName": w.address(who),
		"name":     map[string]any{"givenName": "Given", "familyName": "Family"},
		"active":   true,
	}
	if role != "" {
		body[extension] = map[string]any{"OrganizationRole": role}
	}
	return w.scim(ctx, http.MethodPost, "/Users", body, http.StatusCreated)["id"].(string)
}

// setActive is what Okta does when somebody is suspended or comes back: GET, then PUT.
func (w *world) setActive(ctx context.Context, id string, active bool) {
	GinkgoHelper()
	current := w.scim(ctx, http.MethodGet, "/Users/"+id, nil, http.StatusOK)
	current["active"] = active
	w.scim(ctx, http.MethodPut, "/Users/"+id, current, http.StatusOK)
}

// rawCopy is what somebody gets who copies a resource with kubectl, under another name.
func (w *world) rawCopy(ctx context.Context, name, copiedName string) string {
	GinkgoHelper()
	original := must(claim(ctx, name)())
	copied := &v1alpha1.LambdaTestUser{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.UserKind},
		ObjectMeta: metav1.ObjectMeta{Namespace: original.Namespace, Name: copiedName, Labels: original.Labels},
		Spec:       original.Spec,
	}
	return string(must(yaml.Marshal(copied)))
}
