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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// way is one way to install the product.
type way struct {
	name       string
	install    func(ctx context.Context, c *cluster)
	uninstall  func(ctx context.Context, c *cluster)
	deployment client.ObjectKey
	// watched is a namespace that the operator looks into, elsewhere one that it does not; empty when it looks into all.
	watched, elsewhere string
	// metricsReader is the ClusterRole for the account that scrapes the metrics; empty when metrics are off.
	metricsReader string
}

var ways = []way{
	{
		name: "with kustomize into all namespaces",
		install: func(ctx context.Context, c *cluster) {
			c.kubectl(ctx, "apply", "--server-side", "-k", filepath.Join(root, "config/default"))
		},
		uninstall:     func(ctx context.Context, c *cluster) { c.deleteLabelled(ctx, "lambdatest-operator-system") },
		deployment:    client.ObjectKey{Namespace: "lambdatest-operator-system", Name: "lambdatest-operator"},
		watched:       "default",
		metricsReader: "lambdatest-operator-metrics-reader",
	},
	{
		name: "with kustomize into a single namespace, which one line names",
		install: func(ctx context.Context, c *cluster) {
			config := filepath.Join(GinkgoT().TempDir(), "config")
			Expect(os.CopyFS(config, os.DirFS(filepath.Join(root, "config")))).To(Succeed())
			line := filepath.Join(config, "overlays/single-namespace/operator/kustomization.yaml")
			content, err := os.ReadFile(line)
			Expect(err).NotTo(HaveOccurred())
			changed := strings.Replace(string(content), "namespace: lambdatest-operator-system\n", "namespace: team-a\n", 1)
			Expect(os.WriteFile(line, []byte(changed), 0o600)).To(Succeed())
			c.kubectl(ctx, "apply", "--server-side", "-k", filepath.Join(config, "overlays/single-namespace"))
		},
		uninstall:  func(ctx context.Context, c *cluster) { c.deleteLabelled(ctx, "team-a") },
		deployment: client.ObjectKey{Namespace: "team-a", Name: "lambdatest-operator"},
		watched:    "team-a",
		elsewhere:  "default",
	},
	{
		name: "with kustomize and TLS by cert-manager",
		install: func(ctx context.Context, c *cluster) {
			c.installOtherCRDs(ctx)
			c.kubectl(ctx, "apply", "--server-side", "-k", filepath.Join(root, "config/overlays/cert-manager"))
			c.issueCertificate(ctx, "lambdatest-operator-system", "lambdatest-operator-scim-tls")
		},
		uninstall:     func(ctx context.Context, c *cluster) { c.deleteLabelled(ctx, "lambdatest-operator-system") },
		deployment:    client.ObjectKey{Namespace: "lambdatest-operator-system", Name: "lambdatest-operator"},
		watched:       "default",
		metricsReader: "lambdatest-operator-metrics-reader",
	},
	{
		name: "with Helm into all namespaces",
		install: func(ctx context.Context, c *cluster) {
			c.helm(ctx, "install", "lambdatest-operator", chartPath(), "--namespace", "lambdatest-operator-system", "--create-namespace")
			c.kubectl(ctx, "label", "namespace", "lambdatest-operator-system", "pod-security.kubernetes.io/enforce=restricted")
		},
		uninstall: func(ctx context.Context, c *cluster) {
			c.helm(ctx, "uninstall", "lambdatest-operator", "--namespace", "lambdatest-operator-system")
		},
		deployment:    client.ObjectKey{Namespace: "lambdatest-operator-system", Name: "lambdatest-operator"},
		watched:       "default",
		metricsReader: "lambdatest-operator-metrics-reader",
	},
	{
		name: "with Helm into some namespaces",
		install: func(ctx context.Context, c *cluster) {
			c.kubectl(ctx, "create", "namespace", "team-a")
			c.kubectl(ctx, "create", "namespace", "team-b")
			c.helm(ctx, "install", "people", chartPath(), "--namespace", "operators", "--create-namespace", "--set", "watchNamespaces={team-a,team-b}")
			c.kubectl(ctx, "label", "namespace", "operators", "pod-security.kubernetes.io/enforce=restricted")
		},
		uninstall:  func(ctx context.Context, c *cluster) { c.helm(ctx, "uninstall", "people", "--namespace", "operators") },
		deployment: client.ObjectKey{Namespace: "operators", Name: "people-lambdatest-operator"},
		watched:    "team-b",
		elsewhere:  "default",
	},
}

// namespacedKinds and clusterKinds are what an installation consists of, besides CRDs.
const (
	namespacedKinds = "deployments,services,poddisruptionbudgets,serviceaccounts,roles,rolebindings"
	clusterKinds    = "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings"
)

// deleteLabelled removes a kustomize installation as docs/install.md says: but not the namespace and the CRDs, which may contain resources
// of others.
func (c *cluster) deleteLabelled(ctx context.Context, namespace string) {
	GinkgoHelper()
	c.kubectl(ctx, "delete", namespacedKinds, "--namespace", namespace, "--selector=app.kubernetes.io/name=lambdatest-operator")
	c.kubectl(ctx, "delete", clusterKinds, "--selector=app.kubernetes.io/name=lambdatest-operator")
}

var _ = Describe("installed", func() {
	for _, way := range ways {
		Describe(way.name, Ordered, func() { way.keepsItsPromises() })
	}
})

func (w way) keepsItsPromises() {
	var (
		c          *cluster
		deployment *appsv1.Deployment
		account    client.ObjectKey
		operator   *operator
	)
	BeforeAll(func(ctx SpecContext) {
		c = startCluster(ctx)
		w.install(ctx, c)
		deployment = Fetched(ctx, c.Client, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: w.deployment.Namespace, Name: w.deployment.Name}})
		account = client.ObjectKey{Namespace: deployment.Namespace, Name: deployment.Spec.Template.Spec.ServiceAccountName}
		operator = startOperator(ctx, c, deployment)
	})

	It("has pods that the restricted pod security standard admits", Label("security"), func(ctx SpecContext) {
		pod := &corev1.Pod{
			ObjectMeta: *deployment.Spec.Template.ObjectMeta.DeepCopy(),
			Spec:       *deployment.Spec.Template.Spec.DeepCopy(),
		}
		pod.Namespace, pod.Name = deployment.Namespace, "probe"
		Expect(c.Create(ctx, pod.DeepCopy(), client.DryRunAll)).To(Succeed())

		pod.Spec.Containers[0].SecurityContext = nil
		Expect(c.Create(ctx, pod, client.DryRunAll)).To(MatchError(apierrors.IsForbidden, "IsForbidden"), "the standard is enforced")
	})

	It("provisions a person whom Okta creates", Label("security"), func(ctx SpecContext) {
		token := operator.connects(ctx, w.watched)

		id := operator.creates(ctx, token, "ada@example.com")

		user := &v1alpha1.LambdaTestUser{ObjectMeta: metav1.ObjectMeta{Namespace: w.watched, Name: id}}
		Eventually(func() *v1alpha1.LambdaTestUser { return Fetched(ctx, c.Client, user) }).Should(BeReady(v1alpha1.SyncedReason))
		account, there := operator.lambdaTest.Account("ada@example.com")
		Expect(there && account.Active).To(BeTrue(), "ada has an active account at LambdaTest")

		if w.metricsReader == "" {
			return
		}
		By("showing its metrics to those who are bound to the role for that, and to nobody else")
		c.kubectl(ctx, "create", "serviceaccount", "prometheus")
		prometheus := client.ObjectKey{Namespace: "default", Name: "prometheus"}
		Expect(operator.scrape(ctx, "/metrics", nil)).To(Equal(http.StatusUnauthorized))
		Expect(operator.scrape(ctx, "/metrics", &prometheus)).To(Equal(http.StatusForbidden))
		c.kubectl(ctx, "create", "clusterrolebinding", "prometheus", "--clusterrole="+w.metricsReader, "--serviceaccount=default:prometheus")
		// The operator caches a refusal for half a minute, so another account asks.
		c.kubectl(ctx, "create", "serviceaccount", "second-prometheus")
		second := client.ObjectKey{Namespace: "default", Name: "second-prometheus"}
		c.kubectl(ctx, "create", "clusterrolebinding", "second-prometheus", "--clusterrole="+w.metricsReader, "--serviceaccount=default:second-prometheus")
		Eventually(func() int { return operator.scrape(ctx, "/metrics", &second) }).Should(Equal(http.StatusOK))

		By("showing Go's profiles to neither")
		for _, profile := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/pprof/trace"} {
			Expect(operator.scrape(ctx, profile, nil)).To(Equal(http.StatusUnauthorized), profile)
			Expect(operator.scrape(ctx, profile, &second)).To(Equal(http.StatusForbidden), profile)
		}
	})

	It("lets the operator write what the provider said, and nobody else", Label("security"), func(ctx SpecContext) {
		admin := MakeUser("grace@example.com").FromSCIM().In(w.watched)
		Eventually(func() error { return c.Create(ctx, admin.Obj().DeepCopy(), client.DryRunAll) }).
			Should(MatchError(ContainSubstring("kubectl lambdatest export")))
		Expect(c.as(ctx, account).Create(ctx, admin.Obj().DeepCopy(), client.DryRunAll)).To(Succeed())

		c.kubectl(ctx, "create", "serviceaccount", "lambdatest-restore", "--namespace", account.Namespace)
		c.kubectl(ctx, "create", "clusterrolebinding", "restore", "--clusterrole=cluster-admin",
			"--serviceaccount="+account.Namespace+":lambdatest-restore")
		restore := c.as(ctx, client.ObjectKey{Namespace: account.Namespace, Name: "lambdatest-restore"})
		Eventually(func() error { return restore.Create(ctx, admin.Obj().DeepCopy(), client.DryRunAll) }).Should(Succeed())
	})

	It("gives the operator no right that it does not need", Label("security"), func(ctx SpecContext) {
		Expect(c.may(ctx, account, "get", "", "secrets", w.watched)).To(BeTrue(), "it reads the tokens")
		for _, verb := range []string{"update", "patch", "delete", "deletecollection"} {
			Expect(c.may(ctx, account, verb, "", "secrets", w.watched)).To(BeFalse(), "%s secrets", verb)
		}
		Expect(c.may(ctx, account, "create", "", "pods", w.watched)).To(BeFalse(), "create pods")
		Expect(c.may(ctx, account, "create", "", "serviceaccounts/token", w.watched)).To(BeFalse(), "create tokens")
		Expect(c.may(ctx, account, "list", "", "namespaces", "")).To(BeFalse(), "list namespaces")
		Expect(c.may(ctx, account, "delete", "apiextensions.k8s.io", "customresourcedefinitions", "")).To(BeFalse(), "delete CRDs")
		if w.elsewhere == "" {
			return
		}
		for _, namespace := range []string{w.elsewhere, ""} {
			Expect(c.may(ctx, account, "get", "", "secrets", namespace)).To(BeFalse(), "get secrets in namespace %q", namespace)
			Expect(c.may(ctx, account, "list", "iam.lambdatest.io", "lambdatestusers", namespace)).To(BeFalse(), "list users in namespace %q", namespace)
		}
		if w.deployment.Namespace != w.watched {
			Expect(c.may(ctx, account, "get", "", "secrets", w.deployment.Namespace)).To(BeFalse(), "get secrets beside it")
		}
	})

	It("lets view see people, edit declare them, and admin connect organizations, where it is installed for the whole cluster", Label("security"), func(ctx SpecContext) {
		expectRight := func(role, verb, resource string, right bool) {
			GinkgoHelper()
			person := client.ObjectKey{Namespace: "default", Name: role}
			Eventually(func() bool { return c.may(ctx, person, verb, v1alpha1.SchemeGroupVersion.Group, resource, w.watched) }).
				Should(Equal(right), "%s may %s %s", role, verb, resource)
		}
		for _, role := range []string{"view", "edit", "admin"} {
			c.kubectl(ctx, "create", "serviceaccount", role)
			c.kubectl(ctx, "create", "rolebinding", role, "--namespace", w.watched, "--clusterrole="+role, "--serviceaccount=default:"+role)
		}
		everywhere := w.elsewhere == ""
		expectRight("view", "list", "lambdatestusers", everywhere)
		expectRight("edit", "create", "lambdatestgroups", everywhere)
		expectRight("admin", "update", "lambdatestorganizations", everywhere)
		expectRight("view", "create", "lambdatestusers", false)
		expectRight("edit", "update", "lambdatestorganizations", false)
		for _, role := range []string{"view", "edit", "admin"} {
			expectRight(role, "update", "lambdatestusers/status", false)
		}
	})

	It("is uninstalled without touching anybody: first the CRDs, then the rest", func(ctx SpecContext) {
		operator.lambdaTest.ResetCalls()

		c.kubectl(ctx, "delete", "customresourcedefinitions", "--selector=app.kubernetes.io/name=lambdatest-operator", "--timeout=60s")

		Expect(operator.lambdaTest.Writes()).To(BeZero(), "calls that change something at LambdaTest")
		account, _ := operator.lambdaTest.Account("ada@example.com")
		Expect(account.Active).To(BeTrue(), "ada keeps her account")

		operator.Stop()
		w.uninstall(ctx, c)
		Expect(c.kubectl(ctx, "get", namespacedKinds+","+clusterKinds, "--all-namespaces", "--output=name",
			"--selector=app.kubernetes.io/name=lambdatest-operator")).To(BeEmpty())
	})
}
