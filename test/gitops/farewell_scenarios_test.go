// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"context"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("a deleted namespace", func() {
	It("deactivates nobody, and a backup restored elsewhere finds every account again without a change", Label("restore", "flux"), func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		w.assign(ctx, alan, v1alpha1.RoleGuest)
		denied := w.assign(ctx, grace, "")
		w.setActive(ctx, denied, false)
		flux.commit(ctx, "ada and grace", w.person(ada, "role: Admin"), w.person(grace))
		Eventually(w.claim(ctx, denied)).Should(BeReady(v1alpha1.SyncedReason))
		Expect(w.active()).To(ConsistOf(ada, alan))
		backup, accounts, writes := w.backup(ctx), w.accountIDs(ctx), w.LambdaTest.Writes()

		w.deleteNamespace(ctx)
		Eventually(func() bool {
			return apierrors.IsNotFound(env.Client.Get(ctx, client.ObjectKey{Name: w.namespace}, &corev1.Namespace{}))
		}).
			Should(BeTrue())
		Expect(w.LambdaTest.Writes()).To(Equal(writes))
		Expect(w.active()).To(ConsistOf(ada, alan))

		backup.restore(ctx) // Git's own are not in it: Flux brings them
		flux.again(ctx)

		w.waitForToken(ctx)
		Eventually(func() map[string]string { return w.accountIDs(ctx) }).Should(Equal(accounts))
		Eventually(w.claim(ctx, grace)).Should(BeReady(v1alpha1.DeniedByAnotherClaimReason))
		w.afterSweeps(2)
		Expect(w.LambdaTest.Writes()).To(Equal(writes))
		Expect(w.active()).To(ConsistOf(ada, alan))

		w.setActive(ctx, denied, true) // Okta goes on with the ids and the token that it knows
		Eventually(w.active).Should(ConsistOf(ada, alan, grace))
	})
})

var _ = Describe("an uninstalled operator", Label("uninstall", "flux"), func() {
	It("deactivates nobody when the CRDs go, and finds everybody again when they come back", func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		flux.commit(ctx, "ada and alan", w.person(ada, "role: Admin"), w.person(alan, "active: false"), w.person(grace))
		backup, accounts, writes := w.backup(ctx), w.accountIDs(ctx), w.LambdaTest.Writes()
		DeferCleanup(installCRDs)

		must(env.Kubectl(ctx, "delete", "--filename", crds(), "--timeout=60s"))
		Expect(w.LambdaTest.Writes()).To(Equal(writes))
		Expect(w.active()).To(ConsistOf(ada, grace))

		installCRDs()
		backup.restore(ctx)
		flux.again(ctx)

		w.waitForToken(ctx)
		Eventually(func() map[string]string { return w.accountIDs(ctx) }).Should(Equal(accounts))
		w.afterSweeps(2)
		Expect(w.LambdaTest.Writes()).To(Equal(writes))
		Expect(w.active()).To(ConsistOf(ada, grace))
	})

	It("goes with all its resources by one command, and finds everybody again when it is installed anew", func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		id := w.assign(ctx, grace, v1alpha1.RoleGuest)
		flux.commit(ctx, "ada and alan", w.person(ada, "role: Admin"), w.person(alan, "active: false"))
		Eventually(w.claim(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
		backup, accounts, writes := w.backup(ctx), w.accountIDs(ctx), w.LambdaTest.Writes()
		DeferCleanup(startReplicas)
		DeferCleanup(installCRDs)

		stopReplicas() // the command stops a Deployment, but here the replicas are processes
		Expect(w.cli(ctx, "uninstall", "--yes")).To(ContainSubstring("deleted CRD lambdatestusers.iam.lambdatest.io"))
		must(env.Kubectl(ctx, "wait", "--for=delete", "--filename", crds(), "--timeout=60s"))
		Expect(w.LambdaTest.Writes()).To(Equal(writes))

		installCRDs()
		startReplicas(ctx)
		backup.restore(ctx)
		flux.again(ctx)

		w.waitForToken(ctx)
		Eventually(func() map[string]string { return w.accountIDs(ctx) }).Should(Equal(accounts))
		w.afterSweeps(2)
		Expect(w.LambdaTest.Writes()).To(Equal(writes))
		Expect(w.active()).To(ConsistOf(ada, grace))
	})

	It("deactivates nobody when it goes before the namespace does, and is installed again", func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		flux.commit(ctx, "ada and alan", w.person(ada), w.person(alan))
		writes := w.LambdaTest.Writes()
		stopReplicas()
		DeferCleanup(startReplicas)

		w.deleteNamespace(ctx)
		Eventually(w.claim(ctx, ada)).Should(HaveField("DeletionTimestamp", Not(BeNil())))
		startReplicas(ctx)

		Eventually(w.exists(ctx, ada)).Should(BeFalse())
		Eventually(w.exists(ctx, alan)).Should(BeFalse())
		Expect(w.LambdaTest.Writes()).To(Equal(writes))
		Expect(w.active()).To(ConsistOf(ada, alan))
	})

	It("goes on where it was when it is only stopped and started", func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		id := w.assign(ctx, grace, "")
		flux.commit(ctx, "ada and alan", w.person(ada), w.person(alan))
		Eventually(w.claim(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
		w.settled(ctx, 3)
		versions, writes := w.claimVersions(ctx), w.LambdaTest.Writes()

		stopReplicas()
		startReplicas(ctx)

		w.afterSweeps(2)
		Expect(w.LambdaTest.Writes()).To(Equal(writes))
		Expect(w.claimVersions(ctx)).To(Equal(versions), "resourceVersions")
	})
})

func crds() string {
	GinkgoHelper()
	return filepath.Join(must(controlplane.ModuleRoot()), "config", "crd", "bases")
}

func installCRDs() {
	GinkgoHelper()
	Expect(env.Plane.InstallCRDs(crds())).To(Succeed())
}

// stopReplicas stops the operator.
func stopReplicas() {
	for _, replica := range env.Replicas {
		replica.Stop()
	}
}

// startReplicas starts the replicas that do not run.
func startReplicas(ctx context.Context) {
	GinkgoHelper()
	for _, replica := range env.Replicas {
		if replica.PID() == 0 {
			Expect(replica.Start(ctx)).To(Succeed())
		}
	}
}

// accountIDs are the ids at LambdaTest by the names of the resources.
func (w *world) accountIDs(ctx context.Context) map[string]string {
	GinkgoHelper()
	ids := map[string]string{}
	for _, user := range w.claims(ctx) {
		ids[user.Name] = user.Status.AccountID
	}
	return ids
}

// backup is what a backup tool keeps of a namespace: no status, no uid, and nothing of what Git brings anyway.
type backup []client.Object

func (w *world) backup(ctx context.Context) backup {
	GinkgoHelper()
	organization := w.resource(ctx)
	kept := backup{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}}
	for _, name := range []string{organization.Spec.TokenSecretRef.Name, organization.SCIMTokenSecretName()} {
		secret := &corev1.Secret{}
		Expect(env.Client.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, secret)).To(Succeed())
		kept = append(kept, &corev1.Secret{ObjectMeta: bare(secret), Data: secret.Data, Type: secret.Type})
	}
	kept = append(kept, &v1alpha1.LambdaTestOrganization{ObjectMeta: bare(organization), Spec: organization.Spec})
	for _, user := range w.claims(ctx) {
		if v1alpha1.IsSCIM(&user) {
			kept = append(kept, &v1alpha1.LambdaTestUser{ObjectMeta: bare(&user), Spec: user.Spec})
		}
	}
	return kept
}

func bare(object client.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: object.GetNamespace(), Name: object.GetName(),
		Labels: object.GetLabels(), Annotations: object.GetAnnotations(),
	}
}

// restore creates everything anew, as the account that the admission policy names for it.
func (b backup) restore(ctx context.Context) {
	GinkgoHelper()
	config := env.Plane.Config()
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:lambdatest-operator-system:lambdatest-restore",
		Groups:   []string{"system:masters"},
	}
	restore, err := client.New(config, client.Options{Scheme: env.Client.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	for _, object := range b {
		copied := object.DeepCopyObject().(client.Object)
		Eventually(func() error { return client.IgnoreAlreadyExists(restore.Create(ctx, copied)) }).Should(Succeed())
	}
}
