// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
)

var (
	plane *controlplane.ControlPlane
	// operator and restore are the two accounts that the policy names; admin is a cluster administrator, who may delete the CRDs. editor
	// and owner have the roles edit and admin of Kubernetes in the namespace.
	operator, restore, admin, editor, owner client.Client
)

func TestPolicy(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Admission policy")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	plane, err = controlplane.Start(ctx, controlplane.Options{ControllerManager: true, Stdout: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { plane.Stop() })
	Expect(plane.InstallCRDs("../crd/bases")).To(Succeed())
	Expect(plane.Kubectl(ctx, "apply", "--server-side", "-k", "../dev")).NotTo(BeEmpty())

	admin = clientOf("admin", "system:masters")
	operator = clientOf("system:serviceaccount:lambdatest-operator-system:lambdatest-operator", "system:masters")
	restore = clientOf("system:serviceaccount:lambdatest-operator-system:lambdatest-restore", "system:masters")
	Eventually(func() error { return admin.Create(ctx, user("scim-probe"), client.DryRunAll) }).
		Should(MatchError(apierrors.IsForbidden, "IsForbidden"), "the API server should enforce the policy soon after it is created")
	editor, owner = bound(ctx, "editor", "edit"), bound(ctx, "owner", "admin")
})

var _ = Describe("a resource of the SCIM endpoint", func() {
	var provided *v1alpha1.LambdaTestUser

	BeforeEach(func(ctx SpecContext) {
		provided = user("scim-provided", v1alpha1.SourceSCIM)
		Expect(operator.Create(ctx, provided)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(client.IgnoreNotFound(admin.Delete(ctx, provided))).To(Succeed()) })
	})

	It("is written by the operator", func(ctx SpecContext) {
		provided.Spec.Role = v1alpha1.RoleAdmin
		Expect(operator.Update(ctx, provided)).To(Succeed())
	})

	It("is restored from a backup by the account that the policy names", func(ctx SpecContext) {
		restored := user("scim-restored", v1alpha1.SourceSCIM)
		Expect(restore.Create(ctx, restored)).To(Succeed())
		Expect(admin.Delete(ctx, restored)).To(Succeed())
	})

	DescribeTable("cannot be changed by other accounts",
		func(ctx SpecContext, message string, change func(*v1alpha1.LambdaTestUser)) {
			change(provided)
			expectForbidden(admin.Update(ctx, provided), message)
		},
		Entry("role", "Change it at the provider", func(u *v1alpha1.LambdaTestUser) { u.Spec.Role = v1alpha1.RoleAdmin }),
		Entry("active", "Change it at the provider", func(u *v1alpha1.LambdaTestUser) { u.Spec.Active = new(true) }),
		Entry("a field removed", "Change it at the provider", func(u *v1alpha1.LambdaTestUser) { u.Spec.ExternalID = "" }),
		Entry("label changed", "cannot be added, changed or removed", func(u *v1alpha1.LambdaTestUser) {
			u.Labels[v1alpha1.SourceLabel] = v1alpha1.SourceImport
		}),
		Entry("label removed", "cannot be added, changed or removed", func(u *v1alpha1.LambdaTestUser) { u.Labels = nil }),
		Entry("back to Deactivate", "Change it at the provider", func(u *v1alpha1.LambdaTestUser) {
			u.Spec.DeletionPolicy = v1alpha1.DeletionOrphan
			Expect(admin.Update(context.WithoutCancel(GinkgoT().Context()), u)).To(Succeed())
			u.Spec.DeletionPolicy = v1alpha1.DeletionDeactivate
		}),
	)

	It("is not overwritten by a forced server-side apply from Git", func(ctx SpecContext) {
		applied := user(provided.Name, v1alpha1.SourceSCIM)
		applied.Spec.Role = v1alpha1.RoleAdmin
		applied.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.UserKind))
		expectForbidden(admin.Patch(ctx, applied, client.Apply, client.ForceOwnership, client.FieldOwner("flux")), "Change it at the provider") //nolint:staticcheck // typed apply needs nothing else here
	})

	It("cannot be imitated with its label or its name", func(ctx SpecContext) {
		expectForbidden(admin.Create(ctx, user("posing", v1alpha1.SourceSCIM)), "kubectl lambdatest export")
		expectForbidden(admin.Create(ctx, user("posing", v1alpha1.SourceImport)), "kubectl lambdatest export")
		expectForbidden(admin.Create(ctx, user("scim-posing")), "names that begin with scim- or import-")
		expectForbidden(admin.Create(ctx, user("import-posing")), "names that begin with scim- or import-")
		posing := user("")
		posing.GenerateName = "scim-"
		expectForbidden(admin.Create(ctx, posing), "names that begin with scim- or import-")
	})

	It("is protected also if it is a group", func(ctx SpecContext) {
		expectForbidden(admin.Create(ctx, group("posing", v1alpha1.SourceSCIM)), "kubectl lambdatest export")
		provided := group("scim-group", v1alpha1.SourceSCIM)
		Expect(operator.Create(ctx, provided)).To(Succeed())
		provided.Spec.Members = []string{"ada@example.com"}
		expectForbidden(admin.Update(ctx, provided), "Change it at the provider")
		Expect(admin.Delete(ctx, provided)).To(Succeed())
	})
})

// account is a writer, by the name that specs have for it.
type account struct {
	name   string
	client func() client.Client
}

var (
	editors  = account{"an account with edit", func() client.Client { return editor }}
	owners   = account{"an account with admin in the namespace", func() client.Client { return owner }}
	admins   = account{"a cluster administrator", func() client.Client { return admin }}
	restorer = account{"the restore account", func() client.Client { return restore }}
	self     = account{"the operator", func() client.Client { return operator }}
	all      = []account{editors, owners, admins, restorer, self}
)

// change is what an account may try with a resource that the operator writes for a provider.
type change struct {
	name string
	make func(*unstructured.Unstructured)
	// refused is what the policy says to all but the allowed accounts.
	refused string
	allowed []account
}

func (c change) allows(writer account) bool {
	return slices.ContainsFunc(c.allowed, func(allowed account) bool { return allowed.name == writer.name })
}

const addAnotherFinalizer = "add another finalizer"

var changes = []change{
	{"remove the operator's finalizer", func(o *unstructured.Unstructured) { o.SetFinalizers([]string{"example.com/other"}) },
		`"kubectl lambdatest uninstall"`, []account{admins, restorer, self}},
	{"remove all finalizers", func(o *unstructured.Unstructured) { o.SetFinalizers(nil) },
		`"kubectl lambdatest uninstall"`, []account{admins, restorer, self}},
	{"add an annotation of the operator", annotate(v1alpha1.DeletedByProviderAnnotation, "2026-01-02T15:04:05Z"), "belong to the operator", []account{restorer, self}},
	{"add an annotation with the operator's prefix", annotate("iam.lambdatest.io/anything", ""), "belong to the operator", []account{restorer, self}},
	{"change an annotation of the operator", annotate(v1alpha1.LastModifiedAnnotation, "9999-01-02T15:04:05Z"), "belong to the operator", []account{restorer, self}},
	{"remove all annotations", func(o *unstructured.Unstructured) { o.SetAnnotations(nil) }, "belong to the operator", []account{restorer, self}},
	{"set deletionPolicy to Orphan", set("Orphan", "deletionPolicy"), "ask an administrator of the namespace", []account{owners, admins, restorer, self}},
	{"change another field", set("another", "externalId"), "Change it at the provider", []account{restorer, self}},
	{"request a reconcile", annotate(v1alpha1.ReconcileRequestedAtAnnotation, "now"), "", all},
	{"add another annotation", annotate("example.com/note", "hello"), "", all},
	{"remove another annotation", func(o *unstructured.Unstructured) {
		unstructured.RemoveNestedField(o.Object, "metadata", "annotations", "example.com/stored")
	}, "", all},
	{"add another label", func(o *unstructured.Unstructured) {
		o.SetLabels(map[string]string{v1alpha1.SourceLabel: o.GetLabels()[v1alpha1.SourceLabel], "example.com/team": "blue"})
	}, "", all},
	{addAnotherFinalizer, func(o *unstructured.Unstructured) {
		o.SetFinalizers(append(o.GetFinalizers(), "example.com/another"))
	}, "", all},
	{"remove another finalizer", func(o *unstructured.Unstructured) { o.SetFinalizers([]string{v1alpha1.Finalizer}) }, "", all},
}

// waysFor are all ways, and one for imports: it shows that the policy asks whether there is a source, and not which one.
func waysFor(source string) []way {
	if source == v1alpha1.SourceImport {
		return ways[:1]
	}
	return ways
}

// These specs are a table: both kinds, both sources, alive and while being deleted, each way of the API, each change, each account.
var _ = Describe("a resource that the operator writes for a provider", func() {
	for _, kind := range []string{v1alpha1.UserKind, v1alpha1.GroupKind} {
		for _, source := range []string{v1alpha1.SourceSCIM, v1alpha1.SourceImport} {
			Describe(kind+" of "+source, func() {
				for _, change := range changes {
					It("lets only some accounts "+change.name, func(ctx SpecContext) {
						for _, way := range waysFor(source) {
							for _, deleting := range []bool{false, true} {
								if deleting && change.name == addAnotherFinalizer {
									continue // the API server lets no account add one any more
								}
								expectOnlyAllowed(ctx, change, way, provided(ctx, kind, source, deleting))
							}
						}
					})
				}

				It("lets only the operator and the restore account write status", func(ctx SpecContext) {
					for _, way := range statusWays {
						for _, account := range all {
							By(way.name + ", by " + account.name)
							stored := provided(ctx, kind, source, false)
							changed := stored.DeepCopy()
							Expect(unstructured.SetNestedField(changed.Object, int64(7), "status", "observedGeneration")).To(Succeed())
							err := way.change(ctx, account.client(), stored, changed)
							if account.name == self.name || account.name == restorer.name {
								Expect(err).NotTo(HaveOccurred())
							} else {
								expectForbidden(err, "only the operator writes the status")
							}
						}
					}
				})

				It("is deleted by each account with the right to do so, and keeps the operator's finalizer", func(ctx SpecContext) {
					for _, account := range all {
						for name, remove := range map[string]func(*unstructured.Unstructured) error{
							"delete": func(o *unstructured.Unstructured) error { return account.client().Delete(ctx, o) },
							"deletecollection": func(o *unstructured.Unstructured) error {
								return account.client().DeleteAllOf(ctx, o, client.InNamespace("default"), client.MatchingLabels(o.GetLabels()))
							},
						} {
							By(name + ", by " + account.name)
							stored := provided(ctx, kind, source, false)
							Expect(remove(stored.DeepCopy())).To(Succeed())
							Expect(admin.Get(ctx, client.ObjectKeyFromObject(stored), stored)).To(Succeed())
							Expect(stored.GetDeletionTimestamp()).NotTo(BeNil())
							Expect(stored.GetFinalizers()).To(ContainElement(v1alpha1.Finalizer))
						}
					}
				})
			})
		}
	}

	It("has no way to be written that this table lacks", func() {
		config, err := plane.ConfigFor("admin", "system:masters")
		Expect(err).NotTo(HaveOccurred())
		api, err := discovery.NewDiscoveryClientForConfig(config)
		Expect(err).NotTo(HaveOccurred())
		served, err := api.ServerResourcesForGroupVersion(v1alpha1.SchemeGroupVersion.String())
		Expect(err).NotTo(HaveOccurred())
		verbs := map[string][]string{}
		for _, resource := range served.APIResources {
			if resource.Kind != v1alpha1.OrganizationKind {
				verbs[resource.Name] = slices.Sorted(slices.Values(resource.Verbs))
			}
		}
		whole := []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
		Expect(verbs).To(Equal(map[string][]string{
			"lambdatestusers": whole, "lambdatestusers/status": {"get", "patch", "update"},
			"lambdatestgroups": whole, "lambdatestgroups/status": {"get", "patch", "update"},
		}), "also a subresource finalizers, which the API server does not serve, would be one")
	})
})

// expectOnlyAllowed tries a change by each account, on a fresh copy of a resource after each change that was made.
func expectOnlyAllowed(ctx context.Context, change change, way way, stored *unstructured.Unstructured) {
	GinkgoHelper()
	deleting := stored.GetDeletionTimestamp() != nil
	for _, account := range all {
		By(fmt.Sprintf("%s, being deleted: %t, by %s", way.name, deleting, account.name))
		changed := stored.DeepCopy()
		change.make(changed)
		err := way.change(ctx, account.client(), stored, changed)
		if change.allows(account) {
			Expect(err).NotTo(HaveOccurred())
			stored = provided(ctx, stored.GetKind(), stored.GetLabels()[v1alpha1.SourceLabel], deleting)
			continue
		}
		expectForbidden(err, change.refused)
		before := bare(stored)
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(stored), stored)).To(Succeed())
		Expect(bare(stored)).To(Equal(before))
	}
}

// provided is a resource of a source, as the operator writes it.
func provided(ctx context.Context, kind, source string, deleting bool) *unstructured.Unstructured {
	GinkgoHelper()
	object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{}}}
	object.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(kind))
	object.SetNamespace("default")
	object.SetGenerateName(source + "-")
	object.SetLabels(map[string]string{v1alpha1.SourceLabel: source})
	object.SetAnnotations(map[string]string{v1alpha1.LastModifiedAnnotation: "2026-01-02T15:04:05Z", "example.com/stored": "by another tool"})
	object.SetFinalizers([]string{v1alpha1.Finalizer, "example.com/other"})
	if kind == v1alpha1.UserKind {
		object.Object["spec"] = map[string]any{"userName": "ada@example.com", "name": map[string]any{"givenName": "Ada", "familyName": "Lovelace"}}
	} else {
		object.Object["spec"] = map[string]any{"displayName": "Testers"}
	}
	Expect(operator.Create(ctx, object)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) {
		left := object.DeepCopy()
		Expect(client.IgnoreNotFound(operator.Delete(ctx, left))).To(Succeed())
		Expect(client.IgnoreNotFound(operator.Patch(ctx, left, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))))).To(Succeed())
	})
	if deleting {
		Expect(operator.Delete(ctx, object.DeepCopy())).To(Succeed())
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(object), object)).To(Succeed())
	}
	return object
}

// annotate and set are changes of one annotation and of one field of the spec.
func annotate(key, value string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		annotations := o.GetAnnotations()
		annotations[key] = value
		o.SetAnnotations(annotations)
	}
}

func set(value string, field ...string) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		Expect(unstructured.SetNestedField(o.Object, value, append([]string{"spec"}, field...)...)).To(Succeed())
	}
}

var _ = Describe("a deletion", func() {
	// deleted deletes a resource as an account does, and returns the warnings of the API server.
	deleted := func(ctx context.Context, account string, object client.Object) []string {
		GinkgoHelper()
		Expect(operator.Create(ctx, object)).To(Succeed())
		config, err := plane.ConfigFor(account, "system:masters")
		Expect(err).NotTo(HaveOccurred())
		var warnings warnings
		config.WarningHandler = &warnings
		deleter, err := client.New(config, client.Options{Scheme: admin.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		Expect(deleter.Delete(ctx, object)).To(Succeed())
		return warnings
	}

	It("of a user or a group warns of what it may do at LambdaTest", func(ctx SpecContext) {
		Eventually(func() []string { return deleted(ctx, "admin", user("leaver")) }).WithTimeout(30 * time.Second).Should(ContainElement(And(
			ContainSubstring("this may deactivate ada@example.com at LambdaTest"), ContainSubstring("the guard may hold it"), ContainSubstring("spec.deletionPolicy: Orphan"))))
		denial := user("denial")
		denial.Spec.Active = new(false)
		Expect(deleted(ctx, "admin", denial)).To(ContainElement(ContainSubstring("this resource denies ada@example.com: deleting it may let the person sign in again")))
		Expect(deleted(ctx, "admin", group("testers"))).To(ContainElement(ContainSubstring("this may delete the group at LambdaTest")))
	})

	It("that changes nothing at LambdaTest, or that the operator makes, warns of nothing", func(ctx SpecContext) {
		orphan, observer := user("orphan"), user("observer")
		orphan.Spec.DeletionPolicy = v1alpha1.DeletionOrphan
		observer.Spec.ManagementPolicy = v1alpha1.ManagementObserve
		Expect(deleted(ctx, "admin", orphan)).To(BeEmpty())
		Expect(deleted(ctx, "admin", observer)).To(BeEmpty())
		Expect(deleted(ctx, "system:serviceaccount:lambdatest-operator-system:lambdatest-operator", user("collected"))).To(BeEmpty())
	})
})

// warnings are those of the API server.
type warnings []string

// HandleWarningHeader implements rest.WarningHandler.
func (w *warnings) HandleWarningHeader(_ int, _ string, text string) { *w = append(*w, text) }

var _ = Describe("a declared resource", func() {
	It("may be written by its owner, without the label", func(ctx SpecContext) {
		declared := user("declared")
		Expect(admin.Create(ctx, declared)).To(Succeed())
		declared.Spec.Role = v1alpha1.RoleGuest
		Expect(admin.Update(ctx, declared)).To(Succeed())
		declared.Status.AccountID = "7"
		expectForbidden(admin.Status().Update(ctx, declared.DeepCopy()), "only the operator writes the status")
		Expect(operator.Status().Update(ctx, declared)).To(Succeed())
		declared.Labels = map[string]string{v1alpha1.SourceLabel: v1alpha1.SourceSCIM}
		expectForbidden(admin.Update(ctx, declared), "cannot be added, changed or removed")
		Expect(admin.Delete(ctx, declared)).To(Succeed())
	})
})

func expectForbidden(err error, message string) {
	GinkgoHelper()
	Expect(err).To(MatchError(apierrors.IsForbidden, "IsForbidden"))
	Expect(err).To(MatchError(ContainSubstring(message)))
}

func clientOf(name string, groups ...string) client.Client {
	GinkgoHelper()
	config, err := plane.ConfigFor(name, groups...)
	Expect(err).NotTo(HaveOccurred())
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	made, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return made
}

func user(name string, source ...string) *v1alpha1.LambdaTestUser {
	return &v1alpha1.LambdaTestUser{
		ObjectMeta: meta(name, source...),
		Spec: v1alpha1.LambdaTestUserSpec{
			UserName:   "ada@example.com",
			ExternalID: "00u1",
			Name:       v1alpha1.PersonName{GivenName: "Ada", FamilyName: "Lovelace"},
		},
	}
}

func group(name string, source ...string) *v1alpha1.LambdaTestGroup {
	return &v1alpha1.LambdaTestGroup{ObjectMeta: meta(name, source...), Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "Testers"}}
}

func userNamed(name string) *v1alpha1.LambdaTestUser { return user(name) }

func meta(name string, source ...string) metav1.ObjectMeta {
	object := metav1.ObjectMeta{Namespace: "default", Name: name}
	for _, source := range source {
		object.Labels = map[string]string{v1alpha1.SourceLabel: source}
	}
	return object
}
