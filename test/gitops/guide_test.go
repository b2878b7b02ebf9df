// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// yamlBlock is a manifest in a page of Markdown, possibly in a list.
var yamlBlock = regexp.MustCompile("(?ms)^( *)```yaml\n(.*?)^ *```$")

// What docs/gitops.md tells people to do, in its order.
var _ = Describe("docs/gitops.md", func() {
	It("shows manifests that the API server takes", Label("flux"), func(ctx SpecContext) {
		guide, err := os.ReadFile(filepath.Join(must(controlplane.ModuleRoot()), "docs", "gitops.md"))
		Expect(err).NotTo(HaveOccurred())
		tried := 0
		for _, block := range yamlBlock.FindAllStringSubmatch(string(guide), -1) {
			for _, document := range strings.Split(regexp.MustCompile("(?m)^"+block[1]).ReplaceAllString(block[2], ""), "---\n") {
				object := &unstructured.Unstructured{}
				Expect(yaml.UnmarshalStrict([]byte(document), &object.Object)).To(Succeed(), document)
				if object.GroupVersionKind().Group == "argoproj.io" {
					continue // Argo CD's own CRD is not here
				}
				if object.GetNamespace() == "" {
					object.SetNamespace("default")
				}
				//nolint:staticcheck // a patch of unstructured content, as kubectl sends it
				Expect(env.Client.Patch(ctx, object, client.Apply, client.DryRunAll, client.ForceOwnership, client.FieldOwner("reader"),
					client.FieldValidation(metav1.FieldValidationStrict))).To(Succeed(), document)
				tried++
			}
		}
		Expect(tried).To(BeNumerically(">=", 4))
	})

	It("gives Argo CD its health checks with one command", Label("argo-csa"), func(ctx SpecContext) {
		argocd := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "argocd"}}
		Expect(env.Client.Create(ctx, argocd)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(env.Client.Delete(ctx, argocd)).To(Succeed()) })
		settings := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: "argocd-cm"},
			Data:       map[string]string{"url": "https://argocd.example.com"},
		}
		Expect(env.Client.Create(ctx, settings)).To(Succeed())

		must(env.Kubectl(ctx, "--namespace", "argocd", "patch", "configmap", "argocd-cm",
			"--patch-file", filepath.Join(must(controlplane.ModuleRoot()), "config", "argocd", "argocd-cm.yaml")))

		Expect(Fetched(ctx, env.Client, settings).Data).To(And(
			HaveKey("url"),
			HaveKey("resource.customizations.health.iam.lambdatest.io_LambdaTestUser"),
			HaveKey("resource.customizations.actions.iam.lambdatest.io_LambdaTestOrganization")))
	})

	It("moves a LambdaTest organization into Git without a change", Label("adoption", "flux"), func(ctx SpecContext) {
		w := newWorld(ctx, func(o *v1alpha1.LambdaTestOrganization) { o.Spec.ImportUsers = v1alpha1.ImportObserve })
		for i := range 30 {
			role := []string{"Admin", "User", "Guest"}[i%3]
			w.LambdaTest.AddAccount(simulator.Account{UserName: w.address(fmt.Sprintf("Person.%d", i)), Role: role, Active: i%10 != 9})
		}
		flux := w.flux(ctx)
		Eventually(func() []v1alpha1.LambdaTestUser { return w.claims(ctx) }).Should(And(HaveLen(30),
			HaveEach(HaveField("Labels", HaveKeyWithValue(v1alpha1.SourceLabel, v1alpha1.SourceImport)))))
		active := w.active()
		folder := filepath.Join(w.git.dir, peopleDir)

		w.cli(ctx, "export", "--from-lambdatest", "--folder", folder, "--upstream-hosts", env.Simulator.URL(), "--yes")
		Expect(w.git.manifests()).To(HaveLen(30))
		Expect(w.cli(ctx, "plan", "--filename", folder, "--exit-code", "--upstream-hosts", env.Simulator.URL(), "--yes")).NotTo(BeEmpty())
		flux.commit(ctx, "everybody whom LambdaTest has")

		Eventually(func() []v1alpha1.LambdaTestUser { return w.claims(ctx) }).Should(And(HaveLen(30),
			HaveEach(And(HaveField("Labels", Not(HaveKey(v1alpha1.SourceLabel))), HaveField("Status.AccountID", Not(BeEmpty()))))))
		w.afterSweeps(1)
		Expect(w.LambdaTest.Writes()).To(BeZero())
		Expect(w.active()).To(Equal(active))
	})

	It("follows a changed address by a new person and the old one's end, in one commit", Label("flux"), func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		flux.commit(ctx, "ada", w.person(ada, "role: Admin"), w.person(alan))

		hash := flux.push(ctx, "ada's address, the short way", file(fileName(ada),
			strings.ReplaceAll(w.manifest(ada, "role: Admin"), w.address(ada), w.address("ada.king"))))
		Eventually(flux.condition(ctx, "Ready", hash)).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("userName is immutable"))))
		flux.commit(ctx, "ada's address, in a resource of its own", without(fileName(ada)), w.person("ada.king", "role: Admin"))

		Eventually(w.active).Should(ConsistOf(alan, "ada.king"))
		Expect(w.account("ada.king")()).To(HaveField("Role", "Admin"))
	})

	It("notices a second organization with the same token, and lets it do nothing", Label("flux"), func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		flux.commit(ctx, "ada", w.person(ada))
		writes := w.LambdaTest.Writes()
		second := &v1alpha1.LambdaTestOrganization{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "second"},
			Spec:       *w.resource(ctx).Spec.DeepCopy(),
		}

		Expect(env.Client.Create(ctx, second)).To(Succeed())

		Eventually(func() *v1alpha1.LambdaTestOrganization { return Fetched(ctx, env.Client, second) }).
			Should(BeStalled(v1alpha1.DuplicateOrganizationReason))
		w.afterSweeps(1)
		Expect(w.LambdaTest.Writes()).To(Equal(writes))
	})
})
