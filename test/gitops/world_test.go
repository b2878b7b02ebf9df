// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

const (
	ada   = "ada"
	alan  = "alan"
	grace = "grace"

	// sweep is the syncInterval of the organizations in the scenarios.
	sweep = 2 * time.Second
)

// organizationName is what every scenario calls its organization; it is the default of organizationRef.
const organizationName = "default"

// world is a namespace with one organization: what its repository declares, what its identity provider says, and what LambdaTest has.
type world struct {
	// namespace has a name of its own, which is also the simulated organization's and the repository's.
	namespace string
	// LambdaTest is the simulated organization, upstreamToken its token; scimToken is what the identity provider presents.
	LambdaTest               *simulator.Org
	upstreamToken, scimToken string

	git *repository
}

// newWorld creates a namespace, an organization in it, and an empty repository. Changes are made to the organization before.
func newWorld(ctx context.Context, changes ...func(*v1alpha1.LambdaTestOrganization)) *world {
	GinkgoHelper()
	name := fmt.Sprintf("team-%d", time.Now().UnixNano())
	w := &world{namespace: name, upstreamToken: rand.Text(), git: repositories.create(ctx, name)}
	w.LambdaTest = env.Simulator.AddOrg(name, w.upstreamToken, simulator.Name(name))
	organization := &v1alpha1.LambdaTestOrganization{
		ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: organizationName},
		Spec: v1alpha1.LambdaTestOrganizationSpec{
			BaseURL:        env.Simulator.BaseURL(),
			TokenSecretRef: v1alpha1.SecretKeyReference{Name: "lambdatest-token"},
			SyncInterval:   metav1.Duration{Duration: sweep},
			RateLimit:      v1alpha1.RateLimit{RequestsPerSecond: 200, Burst: 200},
		},
	}
	for _, change := range changes {
		change(organization)
	}
	Expect(env.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	DeferCleanup(w.deleteNamespace)
	Expect(env.Client.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: organization.Spec.TokenSecretRef.Name},
		StringData: map[string]string{v1alpha1.DefaultTokenKey: w.upstreamToken},
	})).To(Succeed())
	Expect(env.Client.Create(ctx, organization)).To(Succeed())
	w.scimToken = w.waitForToken(ctx)
	return w
}

// waitForToken returns what the identity provider presents, once the organization is ready.
func (w *world) waitForToken(ctx context.Context) string {
	GinkgoHelper()
	Eventually(func() *v1alpha1.LambdaTestOrganization { return w.resource(ctx) }).Should(BeReady(v1alpha1.SyncedReason))
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: w.namespace, Name: w.resource(ctx).SCIMTokenSecretName()}
	Eventually(func() error { return env.Client.Get(ctx, key, secret) }).Should(Succeed())
	for _, token := range secret.Data {
		Eventually(ctx, env.Accepts).WithArguments(string(token)).Should(Succeed())
		return string(token)
	}
	Fail("the Secret with SCIM tokens is empty")
	return ""
}

// deleteNamespace requests the deletion of the namespace; the operator then makes no call to LambdaTest.
func (w *world) deleteNamespace(ctx SpecContext) {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	Expect(client.IgnoreNotFound(env.Client.Delete(ctx, namespace))).To(Succeed())
}

// resource is the organization as it is now.
func (w *world) resource(ctx context.Context) *v1alpha1.LambdaTestOrganization {
	GinkgoHelper()
	organization := &v1alpha1.LambdaTestOrganization{}
	Expect(env.Client.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: organizationName}, organization)).To(Succeed())
	return organization
}

// claims are all resources about people of the organization.
func (w *world) claims(ctx context.Context) []v1alpha1.LambdaTestUser {
	GinkgoHelper()
	list := &v1alpha1.LambdaTestUserList{}
	Expect(env.Client.List(ctx, list, client.InNamespace(w.namespace))).To(Succeed())
	return list.Items
}

// flux follows the repository until the spec ends.
func (w *world) flux(ctx context.Context) *kustomization {
	GinkgoHelper()
	return follow(ctx, w.namespace, w.git)
}

// address is somebody's userName. LambdaTest has each address in one organization only, so every scenario has its own.
func (w *world) address(who string) string { return who + "@" + w.namespace + ".example.com" }

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
spec:
  userName: %s
  name: {givenName: %s, familyName: Example}
`, v1alpha1.SchemeGroupVersion, who, w.address(who), who)
	for _, line := range lines {
		fmt.Fprintf(&manifest, "  %s\n", line)
	}
	return manifest.String()
}

func fileName(who string) string { return who + ".yaml" }

// claim returns a function for Eventually: a resource as it is now. Those from Git are called as the person is in the spec.
func (w *world) claim(ctx context.Context, name string) func() (*v1alpha1.LambdaTestUser, error) {
	return func() (*v1alpha1.LambdaTestUser, error) {
		user := &v1alpha1.LambdaTestUser{}
		err := env.Client.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, user)
		return user, err
	}
}

// exists returns a function for Eventually: whether the resource is there.
func (w *world) exists(ctx context.Context, name string) func() (bool, error) {
	return func() (bool, error) {
		_, err := w.claim(ctx, name)()
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

// settled waits for a sweep, and until the organization's status counts that many people in sync.
func (w *world) settled(ctx context.Context, people int) {
	GinkgoHelper()
	w.afterSweeps(1)
	Eventually(func() *v1alpha1.LambdaTestOrganization { return w.resource(ctx) }).Should(HaveField("Status", And(
		HaveField("People", HaveValue(BeEquivalentTo(people))),
		HaveField("Synced", HaveValue(BeEquivalentTo(people))),
		HaveField("Active", HaveValue(BeEquivalentTo(people))),
	)))
}

// afterSweeps waits for that many further sweeps of the organization.
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
	request.Header.Set("Authorization", "Bearer "+w.scimToken)
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

// assign creates a user through Okta, and returns the SCIM id, which is the name of the resource.
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

// setActive deactivates or reactivates a user as Okta does: GET, then PUT.
func (w *world) setActive(ctx context.Context, id string, active bool) {
	GinkgoHelper()
	current := w.scim(ctx, http.MethodGet, "/Users/"+id, nil, http.StatusOK)
	current["active"] = active
	w.scim(ctx, http.MethodPut, "/Users/"+id, current, http.StatusOK)
}

// cli runs `kubectl lambdatest` in the namespace and returns what it prints.
func (w *world) cli(ctx context.Context, args ...string) string {
	GinkgoHelper()
	command := exec.CommandContext(ctx, filepath.Join(env.Dir(), "lambdatest-operator"), append(args, "--namespace", w.namespace)...)
	command.Env = append(os.Environ(), "KUBECONFIG="+env.Plane.KubeconfigPath())
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	Expect(command.Run()).To(Succeed(), "lambdatest %s: %s%s", strings.Join(args, " "), stdout.String(), stderr.String())
	return stdout.String()
}

// rawCopy is a copy of a resource, as from kubectl get -o yaml, with another name.
func (w *world) rawCopy(ctx context.Context, name, copiedName string) string {
	GinkgoHelper()
	original := must(w.claim(ctx, name)())
	copied := &v1alpha1.LambdaTestUser{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.UserKind},
		ObjectMeta: metav1.ObjectMeta{Name: copiedName, Labels: original.Labels},
		Spec:       original.Spec,
	}
	return string(must(yaml.Marshal(copied)))
}
