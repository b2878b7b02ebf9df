// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("the chart", func() {
	It("installs the same Deployment as kustomize", func(ctx SpecContext) {
		fromChart, err := templated(ctx)
		Expect(err).NotTo(HaveOccurred())
		chart := fromChart.one("Deployment", "lambdatest-operator")
		base := kustomized(ctx, "default").one("Deployment", "lambdatest-operator")

		for _, object := range []*unstructured.Unstructured{chart, base} {
			forgetRelease(object)
		}
		Expect(chart.Object["spec"]).To(BeComparableTo(base.Object["spec"]))
	})

	It("tells the operator the pod's limit of memory, as kustomize does", func(ctx SpecContext) {
		fromChart, err := templated(ctx, "--set", "extraEnv[0].name=HTTPS_PROXY,extraEnv[0].value=http://proxy.example.com:3128")
		Expect(err).NotTo(HaveOccurred())
		for _, objects := range []rendered{fromChart, kustomized(ctx, "default"), kustomized(ctx, "overlays/single-namespace")} {
			deployment := &appsv1.Deployment{}
			Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(objects.one("Deployment", "lambdatest-operator").Object, deployment)).To(Succeed())
			manager := deployment.Spec.Template.Spec.Containers[0]
			Expect(manager.Resources.Limits).To(HaveKey(corev1.ResourceMemory))
			Expect(manager.Env).To(ContainElement(corev1.EnvVar{
				Name: "MEMORY_LIMIT", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.memory"}},
			}))
		}
	})

	It("gives the same rights as kustomize", func(ctx SpecContext) {
		fromChart, err := templated(ctx)
		Expect(err).NotTo(HaveOccurred())
		base := kustomized(ctx, "default")
		for _, object := range base {
			if kind := object.GetKind(); kind != "Role" && kind != "ClusterRole" {
				continue
			}
			same := fromChart.one(object.GetKind(), object.GetName())
			Expect(same.Object["rules"]).To(ConsistOf(object.Object["rules"].([]any)...), "rules of %s", object.GetName())
		}
	})

	DescribeTable("passes helm lint, with every object in the release's or a watched namespace",
		func(ctx SpecContext, values string) {
			file := filepath.Join(chartPath(), "ci", values)
			_, err := runHelm(ctx, GinkgoT().TempDir(), "lint", "--strict", chartPath(), "--values", file)
			Expect(err).NotTo(HaveOccurred())
			objects, err := templated(ctx, "--values", file)
			Expect(err).NotTo(HaveOccurred())
			Expect(objects).NotTo(BeEmpty())
			for _, object := range objects {
				Expect(object.GetNamespace()).To(BeElementOf("lambdatest-operator-system", "team-a", "team-b", ""), object.GetName())
			}
		},
		Entry("everything switched on", "everything-values.yaml"),
		Entry("two namespaces", "namespaced-values.yaml"),
		Entry("as little as possible", "least-values.yaml"),
	)

	It("needs nothing cluster-wide where somebody else takes care of CRDs and policy", func(ctx SpecContext) {
		objects, err := templated(ctx, "--values", filepath.Join(chartPath(), "ci", "least-values.yaml"))
		Expect(err).NotTo(HaveOccurred())
		for _, object := range objects {
			Expect(object.GetNamespace()).NotTo(BeEmpty(), "%s %s", object.GetKind(), object.GetName())
		}
	})

	DescribeTable("refuses values that cannot be meant, and says which and why",
		func(ctx SpecContext, set, message string) {
			_, err := templated(ctx, "--set", set)
			Expect(err).To(MatchError(ContainSubstring(message)))
		},
		Entry("a name that is none of its values", "replica=3", "additional properties 'replica' not allowed"),
		Entry("a name deep inside", "scim.tls.enable=true", "at '/scim/tls': additional properties 'enable' not allowed"),
		Entry("a number that is text", "replicas=two", "at '/replicas': got string, want integer"),
		Entry("a level that does not exist", "log.level=loud", "at '/log/level': value must be one of 'debug', 'info', 'warn', 'error'"),
		Entry("a digest that is none", "image.digest=abc", "at '/image/digest'"),
		Entry("an ingress without host", "scim.ingress.enabled=true", "at '/scim/ingress/host': minLength"),
		Entry("a route without gateway", "scim.httpRoute.enabled=true", "at '/scim/httpRoute/parentRefs': minItems"),
		Entry("an argument that is none", "extraArgs={debug}", "at '/extraArgs/0'"),
		Entry("a policy account that would end the literal", "admissionPolicy.restoreAccount=a'b", "at '/admissionPolicy/restoreAccount'"),
		Entry("an external URL with the path", "scim.externalURL=https://scim.example.com/scim/v2", "scim.externalURL must end before /scim/v2"),
		Entry("a certificate without TLS", "scim.tls.certManager.enabled=true", "needs scim.tls.enabled: true"),
		Entry("a monitor without metrics", "metrics.enabled=false,metrics.serviceMonitor.enabled=true", "needs metrics.enabled: true"),
	)

	It("names the image by tag, or by digest, which wins", func(ctx SpecContext) {
		digest := "sha256:" + strings.Repeat("0", 64)
		Expect(image(ctx)).To(Equal("ghcr.io/lambdatest-operator/lambdatest-operator:v0.1.0"))
		Expect(image(ctx, "--set", "image.tag=v9")).To(Equal("ghcr.io/lambdatest-operator/lambdatest-operator:v9"))
		Expect(image(ctx, "--set", "image.tag=v9,image.digest="+digest)).To(Equal("ghcr.io/lambdatest-operator/lambdatest-operator@" + digest))
	})
})

var _ = Describe("a release", Ordered, func() {
	var (
		c     *cluster
		notes string
		users = client.ObjectKey{Name: "lambdatestusers.iam.lambdatest.io"}
	)
	BeforeAll(func(ctx SpecContext) {
		c = startCluster(ctx)
		Expect(apiextensionsv1.AddToScheme(c.Scheme())).To(Succeed())
		notes = c.helm(ctx, "install", "lambdatest-operator", chartPath(), "--namespace", "identity", "--create-namespace",
			"--set", "scim.externalURL=https://scim.example.com")
		// A person who is there when all of the following happens. No operator runs, so nothing but Helm acts.
		Eventually(func() error {
			return c.Create(ctx, MakeUser("ada@example.com").In("default").Obj())
		}).Should(Succeed())
	})

	expectAdaIsThere := func(ctx context.Context) {
		GinkgoHelper()
		Expect(Exists(ctx, c.Client, MakeUser("ada@example.com").In("default").Obj())).To(BeTrue(), "ada is still there")
	}

	It("says what to do next, in commands that work", func(ctx SpecContext) {
		Expect(notes).To(ContainSubstring("create secret generic lambdatest-token"))
		Expect(notes).To(ContainSubstring("kind: LambdaTestOrganization"))
		Expect(notes).To(ContainSubstring("https://scim.example.com/scim/v2"))
		Expect(notes).To(ContainSubstring("get lambdatestusers"))

		By("reading the token from the Secret that the operator will have made")
		Applied(ctx, c.Client, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "identity", Name: "default-scim-token"},
			Data:       map[string][]byte{"token": []byte("a token for Okta"), "next": []byte("one that was added later")},
		})
		_, template, _ := strings.Cut(notes, "--template '")
		template, _, _ = strings.Cut(template, "'")
		Expect(c.kubectl(ctx, "--namespace", "identity", "get", "secret", "default-scim-token", "--template", template)).To(Equal("a token for Okta\n"))

		By("creating the organization")
		_, manifest, _ := strings.Cut(notes, "<<EOF\n")
		manifest, _, _ = strings.Cut(manifest, "EOF")
		file := filepath.Join(GinkgoT().TempDir(), "organization.yaml")
		Expect(os.WriteFile(file, []byte(strings.ReplaceAll(manifest, "\n     ", "\n")[len("     "):]), 0o600)).To(Succeed())
		c.kubectl(ctx, "--namespace", "identity", "apply", "--server-side", "-f", file)
	})

	It("upgrades the CRDs with the chart", func(ctx SpecContext) {
		changed := filepath.Join(GinkgoT().TempDir(), "chart")
		Expect(os.CopyFS(changed, os.DirFS(chartPath()))).To(Succeed())
		file := filepath.Join(changed, "templates/crds/lambdatestusers.yaml")
		content, err := os.ReadFile(file)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(file, []byte(strings.Replace(string(content), "    - ltuser\n", "    - ltuser\n    - ltu\n", 1)), 0o600)).To(Succeed())

		c.helm(ctx, "upgrade", "lambdatest-operator", changed, "--namespace", "identity", "--set", "log.level=debug")

		crd := &apiextensionsv1.CustomResourceDefinition{}
		Expect(c.Get(ctx, users, crd)).To(Succeed())
		Expect(crd.Spec.Names.ShortNames).To(ConsistOf("ltuser", "ltu"))
		expectAdaIsThere(ctx)
	})

	It("keeps the CRDs when they are no longer the chart's", func(ctx SpecContext) {
		c.helm(ctx, "upgrade", "lambdatest-operator", chartPath(), "--namespace", "identity", "--set", "crds.install=false")
		expectAdaIsThere(ctx)
		c.helm(ctx, "upgrade", "lambdatest-operator", chartPath(), "--namespace", "identity")
		expectAdaIsThere(ctx)
	})

	It("leaves CRDs and resources, and nothing else, when it is uninstalled", func(ctx SpecContext) {
		output := c.helm(ctx, "uninstall", "lambdatest-operator", "--namespace", "identity")

		Expect(output).To(ContainSubstring("uninstalled"))
		expectAdaIsThere(ctx)
		Eventually(func() string {
			return c.kubectl(ctx, "get", namespacedKinds+","+clusterKinds, "--all-namespaces", "--output=name",
				"--selector=app.kubernetes.io/name=lambdatest-operator")
		}).Should(BeEmpty())
	})

	It("takes over what it left when it is installed again", func(ctx SpecContext) {
		c.helm(ctx, "install", "lambdatest-operator", chartPath(), "--namespace", "identity")
		expectAdaIsThere(ctx)
	})
})

// Organizations are shared out to several operators by namespace.
var _ = Describe("two releases, each with namespaces of its own", Ordered, Label("sharding"), func() {
	teams := []string{"red", "blue"}
	var c *cluster
	BeforeAll(func(ctx SpecContext) {
		c = startCluster(ctx)
		for _, team := range teams {
			c.kubectl(ctx, "create", "namespace", team)
			c.helm(ctx, "install", "operator", chartPath(), "--namespace", team, "--set", "watchNamespaces={"+team+"}",
				"--set", "crds.install="+map[string]string{"red": "true", "blue": "false"}[team])
		}
	})

	It("do not get into each other's way", func(ctx SpecContext) {
		admin := c.Client
		for _, team := range teams {
			operator := c.as(ctx, client.ObjectKey{Namespace: team, Name: "operator-lambdatest-operator"})
			own := MakeUser("ada@example.com").FromSCIM().In(team).Obj()
			Eventually(func() error { return admin.Create(ctx, own.DeepCopy(), client.DryRunAll) }).
				Should(MatchError(apierrors.IsForbidden, "IsForbidden"), "the policy binds in %s", team)
			Expect(operator.Create(ctx, own.DeepCopy(), client.DryRunAll)).To(Succeed())
		}
	})

	It("lead side by side: each knows its own organizations only, and goes on when the other stops", func(ctx SpecContext) {
		operators, tokens := map[string]*operator{}, map[string]string{}
		for _, team := range teams {
			deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "operator-lambdatest-operator"}}
			operators[team] = startOperator(ctx, c, Fetched(ctx, c.Client, deployment))
			tokens[team] = operators[team].connects(ctx, team)
		}
		isProvisioned := func(team, userName string) {
			GinkgoHelper()
			id := operators[team].creates(ctx, tokens[team], userName)
			user := &v1alpha1.LambdaTestUser{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: id}}
			Eventually(func() *v1alpha1.LambdaTestUser { return Fetched(ctx, c.Client, user) }).Should(BeReady(v1alpha1.SyncedReason))
		}

		isProvisioned("red", "rose@example.com")
		isProvisioned("blue", "bleu@example.com")

		_, strange := operators["blue"].lambdaTest.Account("rose@example.com")
		Expect(strange).To(BeFalse(), "the organization of blue has somebody of red's")
		status, _ := operators["blue"].answers(ctx, tokens["red"], http.MethodGet, "/Users", nil)
		Expect(status).To(Equal(http.StatusUnauthorized), "red's token at blue's endpoint")

		operators["red"].Kill()
		isProvisioned("blue", "azur@example.com")
	})
})

// image is what the chart makes of its image values.
func image(ctx context.Context, args ...string) string {
	GinkgoHelper()
	objects, err := templated(ctx, args...)
	Expect(err).NotTo(HaveOccurred())
	containers, _, err := unstructured.NestedSlice(objects.one("Deployment", "lambdatest-operator").Object, "spec", "template", "spec", "containers")
	Expect(err).NotTo(HaveOccurred())
	return containers[0].(map[string]any)["image"].(string)
}

// forgetRelease takes the label that only Helm's objects have out of every selector of a Deployment.
func forgetRelease(value any) {
	switch value := value.(type) {
	case *unstructured.Unstructured:
		forgetRelease(value.Object)
	case map[string]any:
		delete(value, "app.kubernetes.io/instance")
		for _, inner := range value {
			forgetRelease(inner)
		}
	case []any:
		for _, inner := range value {
			forgetRelease(inner)
		}
	}
}
