// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// auditEverything makes the API server write a line per request.
const auditEverything = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
`

// right is one verb on one resource.
type right struct{ verb, group, resource string }

func (r right) String() string { return r.verb + " " + r.resource + "." + r.group }

// neededElsewhere are rights that the operator does not use in this control plane, and why it needs them in others.
var neededElsewhere = map[string]string{
	"list secrets.":                                               "informers list where the API server does not stream lists",
	"list lambdatestusers.iam.lambdatest.io":                      "informers list where the API server does not stream lists",
	"list lambdatestgroups.iam.lambdatest.io":                     "informers list where the API server does not stream lists",
	"list lambdatestorganizations.iam.lambdatest.io":              "informers list where the API server does not stream lists",
	"patch events.events.k8s.io":                                  "an event that comes again within minutes is counted up",
	"update lambdatestorganizations/finalizers.iam.lambdatest.io": "OwnerReferencesPermissionEnforcement asks for it, which leaves no trace in the log",
}

var _ = Describe("the role", Label("security"), func() {
	It("has no right that the operator does not use", func(ctx SpecContext) {
		c, log := startAudited(ctx)

		operator := liveThroughEverything(ctx, c)

		granted := grantedRights(ctx, c)
		used, refused := usedRights(log, operator.account)
		Expect(refused).To(BeEmpty(), "what was refused to the operator")
		var unused []string
		for _, right := range granted {
			name := right.String()
			if neededElsewhere[name] == "" && !slices.Contains(used, right) {
				unused = append(unused, name)
			}
		}
		Expect(unused).To(BeEmpty(), "rights that were not used: remove them from the +kubebuilder:rbac markers, or let the story of this spec need them")
	})
})

// startAudited is a cluster with config/default, and the file of its audit log.
func startAudited(ctx context.Context) (c *cluster, log string) {
	GinkgoHelper()
	policy, log := filepath.Join(GinkgoT().TempDir(), "policy.yaml"), filepath.Join(GinkgoT().TempDir(), "audit.log")
	Expect(os.WriteFile(policy, []byte(auditEverything), 0o600)).To(Succeed())
	c = startCluster(ctx, "--audit-policy-file="+policy, "--audit-log-path="+log,
		// Off by default, on in OpenShift.
		"--enable-admission-plugins=OwnerReferencesPermissionEnforcement")
	c.kubectl(ctx, "apply", "--server-side", "-k", filepath.Join(root, "config/default"))
	return c, log
}

// liveThroughEverything plays a story for which the operator needs all its rights.
func liveThroughEverything(ctx context.Context, c *cluster) *operator {
	GinkgoHelper()
	deployment := Fetched(ctx, c.Client, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "lambdatest-operator-system", Name: "lambdatest-operator"}})
	operator := startOperator(ctx, c, deployment, "--deleted-user-retention=1s")
	operator.lambdaTest.AddAccount(simulator.Account{UserName: "grace@example.com", Active: true, Role: "User"})
	token := operator.connects(ctx, "default")

	By("a person comes, changes, and is deleted by the provider")
	ada := operator.creates(ctx, token, "ada@example.com")
	resource := MakeUser("ada@example.com").Named(ada).In("default").Obj()
	Eventually(func() *v1alpha1.LambdaTestUser { return Fetched(ctx, c.Client, resource) }).Should(BeReady(v1alpha1.SyncedReason))
	status, answer := operator.answers(ctx, token, http.MethodPost, "/Groups", map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": "Testers", "members": []any{map[string]string{"value": ada}},
	})
	Expect(status).To(Equal(http.StatusCreated), "%v", answer)
	group := answer["id"].(string)
	status, answer = operator.answers(ctx, token, http.MethodPatch, "/Groups/"+group, patch("displayName", "Explorers"))
	Expect(status).To(BeElementOf(http.StatusOK, http.StatusNoContent), "%v", answer)
	status, answer = operator.answers(ctx, token, http.MethodPatch, "/Users/"+ada, patch("active", false))
	Expect(status).To(Equal(http.StatusOK), "%v", answer)
	status, answer = operator.answers(ctx, token, http.MethodDelete, "/Users/"+ada, nil)
	Expect(status).To(Equal(http.StatusNoContent), "%v", answer)
	Eventually(func() bool { return Exists(ctx, c.Client, resource) }).Should(BeFalse(), "the mark of a deleted person is collected")
	status, answer = operator.answers(ctx, token, http.MethodDelete, "/Groups/"+group, nil)
	Expect(status).To(Equal(http.StatusNoContent), "%v", answer)

	By("another is declared, and taken back")
	declared := Applied(ctx, c.Client, MakeUser("alan@example.com").In("default").Obj())
	Eventually(func() *v1alpha1.LambdaTestUser { return Fetched(ctx, c.Client, declared) }).Should(BeReady(v1alpha1.SyncedReason))
	Deleted(ctx, c.Client, declared)
	Eventually(func() bool { return Exists(ctx, c.Client, declared) }).Should(BeFalse(), "the finalizer goes")

	By("somebody goes whose organization never was")
	lost := Applied(ctx, c.Client, MakeUser("edsger@example.com").Of("gone").In("default").Obj())
	Changed(ctx, c.Client, lost, func(u *v1alpha1.LambdaTestUser) { u.Finalizers = []string{v1alpha1.Finalizer} })
	Deleted(ctx, c.Client, lost)
	Eventually(func() bool { return Exists(ctx, c.Client, lost) }).Should(BeFalse(), "the finalizer goes")

	By("accounts are shown, and the organization goes")
	organization := &v1alpha1.LambdaTestOrganization{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "default"}}
	Changed(ctx, c.Client, organization, func(o *v1alpha1.LambdaTestOrganization) {
		o.Spec.ImportUsers = v1alpha1.ImportObserve
		o.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
	})
	Deleted(ctx, c.Client, organization)
	Eventually(func() bool { return Exists(ctx, c.Client, organization) }).Should(BeFalse(), "the organization goes")
	return operator
}

func patch(path string, value any) map[string]any {
	return map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []any{map[string]any{"op": "replace", "path": path, "value": value}},
	}
}

// grantedRights are those of every role of the operator's, the one for its lease and the one for metrics apart: other specs need these.
func grantedRights(ctx context.Context, c *cluster) []right {
	GinkgoHelper()
	role := &rbacv1.ClusterRole{}
	Expect(c.Get(ctx, client.ObjectKey{Name: "lambdatest-operator"}, role)).To(Succeed())
	var granted []right
	for _, rule := range role.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					granted = append(granted, right{verb, group, resource})
				}
			}
		}
	}
	return granted
}

// usedRights reads from the audit log what the operator asked for, and what of it was refused.
func usedRights(log string, account client.ObjectKey) (used, refused []right) {
	GinkgoHelper()
	used, refused, err := readRights(log, account)
	Expect(err).NotTo(HaveOccurred())
	return used, refused
}

// readRights asserts nothing, so that it may run beside an assertion that is intercepted.
func readRights(log string, account client.ObjectKey) (used, refused []right, err error) {
	file, err := os.Open(log)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct {
			Verb           string
			User           struct{ Username string }
			ObjectRef      struct{ APIGroup, Resource, Subresource string }
			ResponseStatus struct{ Code int }
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue // the last line, while it is being written
		}
		if event.User.Username != "system:serviceaccount:"+account.Namespace+":"+account.Name || event.ObjectRef.Resource == "" {
			continue
		}
		asked := right{event.Verb, event.ObjectRef.APIGroup, event.ObjectRef.Resource}
		if event.ObjectRef.Subresource != "" {
			asked.resource += "/" + event.ObjectRef.Subresource
		}
		used = append(used, asked)
		if event.ResponseStatus.Code == http.StatusForbidden {
			refused = append(refused, asked)
		}
	}
	return used, refused, lines.Err()
}
