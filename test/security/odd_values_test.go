// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package security

import (
	"net/http"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("The SCIM endpoint", Label("odd-values"), func() {
	It("shows resources with every odd value that the schema allows, and lives", func(ctx SpecContext) {
		added, err := env.AddOrganization(ctx, organization("odd"))
		Expect(err).NotTo(HaveOccurred())
		odd := &tenant{added}
		root, err := controlplane.ModuleRoot()
		Expect(err).NotTo(HaveOccurred())
		for kind, path := range map[string]string{v1alpha1.UserKind: "/Users", v1alpha1.GroupKind: "/Groups"} {
			template := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
				"userName": "ada@example.com", "name": map[string]any{"givenName": "Ada", "familyName": "Lovelace"},
				"displayName": "Testers", "organizationRef": map[string]any{"name": odd.Name},
			}}}
			file := map[string]string{v1alpha1.UserKind: "users", v1alpha1.GroupKind: "groups"}[kind]
			if kind == v1alpha1.GroupKind {
				unstructured.RemoveNestedField(template.Object, "spec", "userName")
				unstructured.RemoveNestedField(template.Object, "spec", "name")
			}
			template.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(kind))
			template.SetNamespace(environment.Namespace)
			template.SetLabels(map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM})

			var taken []client.Object
			for i, one := range OddResources(filepath.Join(root, "config/crd/bases/iam.lambdatest.io_lambdatest"+file+".yaml"), template) {
				one.Object.SetName(v1alpha1.SCIMUserName("odd-"+kind, named("%d", i)))
				err := as(theOperator).Create(ctx, one.Object)
				if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
					continue
				}
				Expect(err).NotTo(HaveOccurred(), one.What)
				taken = append(taken, one.Object)
			}
			Expect(len(taken)).To(BeNumerically(">", 30))
			for _, one := range taken {
				Expect(odd.ask(ctx, http.MethodGet, path+"/"+one.GetName(), "").status).To(BeElementOf(http.StatusOK, http.StatusNotFound), one.GetName())
			}
			list := odd.ask(ctx, http.MethodGet, path+"?count=1000", "")
			Expect(list.status).To(Equal(http.StatusOK))
			Expect(list.json()["Resources"]).NotTo(BeEmpty())
			Expect(odd.ask(ctx, http.MethodGet, filtered(path, `displayName co "x" or externalId pr`), "").status).To(Equal(http.StatusOK))
		}
		Expect(linesWith("panic")).To(BeEmpty())
	})
})
