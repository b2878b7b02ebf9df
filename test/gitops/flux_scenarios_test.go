// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"context"
	"fmt"
	"strings"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

var _ = Describe("Flux", Label("flux"), func() {
	It("adds people with a commit, and changes a role with the next", func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)

		flux.commit(ctx, "the first three", w.person(ada, "role: Admin"), w.person(alan), w.person(grace, "role: Guest"))

		Expect(w.account(ada)()).To(And(HaveField("Active", true), HaveField("Role", "Admin")))
		Expect(w.account(alan)()).To(And(HaveField("Active", true), HaveField("Role", "User")))
		Expect(w.account(grace)()).To(And(HaveField("Active", true), HaveField("Role", "Guest")))
		Expect(w.LambdaTest.Writes()).To(Equal(3), "a call for each of them")

		flux.commit(ctx, "grace joins the admins", w.person(grace, "role: Admin"))

		Expect(w.account(grace)()).To(HaveField("Role", "Admin"))
		Expect(w.LambdaTest.Writes()).To(Equal(4))
	})

	It("deactivates whom a commit denies, and lets back in whom the next one does not", func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		flux.commit(ctx, "alan", w.person(alan))

		flux.commit(ctx, "alan is on leave", w.person(alan, "active: false"))
		Expect(w.account(alan)()).To(HaveField("Active", false))

		flux.commit(ctx, "alan is back", w.person(alan))
		Expect(w.account(alan)()).To(HaveField("Active", true))
	})

	It("keeps out whom Okta denied, however often it applies, and is told who denies", func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		flux.commit(ctx, "ada and alan", w.person(ada), w.person(alan))
		id := w.assign(ctx, alan, "")
		Eventually(w.claim(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))

		w.setActive(ctx, id, false)

		Eventually(w.account(alan)).Should(HaveField("Active", false))
		Eventually(w.claim(ctx, alan)).Should(BeReady(v1alpha1.DeniedByAnotherClaimReason))
		before := w.LambdaTest.Writes()
		for range 3 {
			flux.again(ctx)
			Expect(w.active()).To(Equal([]string{ada}))
		}
		flux.commit(ctx, "alan shall be an admin", w.person(alan, "role: Admin", "active: true"))
		w.afterSweeps(1)
		Expect(w.active()).To(Equal([]string{ada}))
		Expect(w.LambdaTest.Writes()).To(BeNumerically("<=", before+1), "his role at most")
		denied, err := w.claim(ctx, alan)()
		Expect(err).NotTo(HaveOccurred())
		Expect(denied).To(haveReadyMessage(ContainSubstring("LambdaTestUser/" + id)))

		w.setActive(ctx, id, true)

		Eventually(w.account(alan)).Should(And(HaveField("Active", true), HaveField("Role", "Admin")))
		Eventually(w.claim(ctx, alan)).Should(BeReady(v1alpha1.SyncedReason))
	})

	It("never touches the resource of the identity provider, which carries none of its labels", func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		id := w.assign(ctx, ada, "")
		Eventually(w.claim(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
		before := must(w.claim(ctx, id)())

		flux.commit(ctx, "ada", w.person(ada))
		flux.again(ctx)

		now := must(w.claim(ctx, id)())
		Expect(now.Labels).To(Equal(before.Labels))
		Expect(now.Labels).NotTo(HaveKey(HavePrefix("kustomize.toolkit.fluxcd.io/")))
		Expect(now.Generation).To(Equal(before.Generation))
		Expect(now.ManagedFields).NotTo(ContainElement(HaveField("Manager", "kustomize-controller")))
		Expect(must(flux.status(ctx)).Inventory.Entries).NotTo(ContainElement(HaveField("ID", ContainSubstring(id))))
	})

	It("has its role in force while Okta says another, and Okta's as soon as Git says none", Label("adoption"), func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		id := w.assign(ctx, ada, v1alpha1.RoleGuest)
		Eventually(w.account(ada)).Should(HaveField("Role", "Guest"))

		flux.commit(ctx, "ada is an admin", w.person(ada, "role: Admin"))

		Eventually(w.account(ada)).Should(HaveField("Role", "Admin"))
		Eventually(w.claim(ctx, id)).Should(HaveField("Status.Effective", And(
			HaveField("Role", v1alpha1.RoleAdmin), HaveField("RoleFrom", "LambdaTestUser/"+ada))))
		writes := w.LambdaTest.Writes()
		flux.again(ctx)
		w.afterSweeps(2)
		Expect(w.LambdaTest.Writes()).To(Equal(writes), "nobody fights over the role")

		flux.commit(ctx, "Okta decides", w.person(ada))

		Eventually(w.account(ada)).Should(HaveField("Role", "Guest"))
	})

	It("gives a role by a group in Git, above what Okta and Git say of the person, and takes it back with the group", func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		w.assign(ctx, ada, v1alpha1.RoleGuest)
		// More people than those who would lose a role, because the guard allows at most half of them.
		flux.commit(ctx, "alan and colleagues", w.person(alan, "role: User"), w.person(grace), w.person("barbara"), w.person("donald"))

		flux.commit(ctx, "admins", file("admins.yaml", fmt.Sprintf(`apiVersion: %s
kind: LambdaTestGroup
metadata: {name: admins}
spec:
  displayName: Platform admins
  roles: [Admin]
  members: [%q, %q]
`, v1alpha1.SchemeGroupVersion, w.address(ada), w.address(alan))))

		Eventually(w.account(ada)).Should(HaveField("Role", "Admin"))
		Eventually(w.account(alan)).Should(HaveField("Role", "Admin"))
		group, found := w.LambdaTest.Group("Platform admins")
		Expect(found).To(BeTrue())
		Expect(group.Members).To(HaveLen(2))

		flux.commit(ctx, "no admins", without("admins.yaml"))

		Eventually(w.account(ada)).Should(HaveField("Role", "Guest"))
		Eventually(w.account(alan)).Should(HaveField("Role", "User"))
	})

	It("declares whom Okta created and prunes them again without a call to LambdaTest", Label("handover"), func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		id := w.assign(ctx, ada, "")
		Eventually(w.claim(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
		flux.commit(ctx, "alan stays in the folder", w.person(alan))
		before := w.LambdaTest.Writes()

		flux.commit(ctx, "ada, too", w.person(ada))
		Eventually(w.claim(ctx, ada)).Should(BeReady(v1alpha1.SyncedReason))
		flux.commit(ctx, "not ada after all", without(fileName(ada)))

		Eventually(w.exists(ctx, ada)).Should(BeFalse())
		w.afterSweeps(1)
		Expect(w.LambdaTest.Writes()).To(Equal(before))
		Expect(w.active()).To(ConsistOf(ada, alan))
	})

	It("keeps somebody who moved from Okta to Git, once Okta's resource is deleted", Label("handover"), func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		id := w.assign(ctx, ada, v1alpha1.RoleAdmin)
		Eventually(w.claim(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
		flux.commit(ctx, "ada is ours", file("ada.yaml", w.cli(ctx, "export", id)))
		w.setActive(ctx, id, false)
		Eventually(w.active).Should(BeEmpty(), "unassigning is a denial")

		must(env.Kubectl(ctx, "delete", "lambdatestuser", "--namespace", w.namespace, id, "--timeout=30s"))

		Eventually(w.account(ada)).Should(And(HaveField("Active", true), HaveField("Role", "Admin")))
	})

	It("takes over accounts that were there before without a call that changes anything", Label("adoption"), func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		adaBefore := w.LambdaTest.AddAccount(simulator.Account{UserName: strings.ToUpper(w.address(ada)), Role: "Admin", Active: true})
		w.LambdaTest.AddAccount(simulator.Account{UserName: w.address(grace), Role: "Guest", Active: true})
		w.afterSweeps(1)

		flux.commit(ctx, "those who are there", w.person(ada), w.person(grace, "role: Guest"))

		Expect(w.LambdaTest.Writes()).To(BeZero())
		Expect(must(w.claim(ctx, ada)()).Status).To(And(
			HaveField("AccountID", adaBefore.ID),
			HaveField("Account.Role", "Admin"),
		))
	})

	It("waits while LambdaTest works, fails on what only a person can mend, and is ready once it is", func(ctx SpecContext) {
		w := newWorld(ctx)
		w.LambdaTest.SetConcurrencyGroup("QA", true)
		flux := w.flux(ctx)
		creation := w.LambdaTest.HoldNext(simulator.On("POST /Users"))
		DeferCleanup(creation.Release)

		hash := flux.push(ctx, "ada", w.person(ada))
		Eventually(creation.Arrived()).Should(Receive())
		Expect(w.kstatus(ctx, ada)()).To(Equal(kstatus.InProgressStatus))
		Eventually(flux.condition(ctx, "Healthy", hash)).Should(And(
			HaveField("Status", metav1.ConditionUnknown), HaveField("Message", ContainSubstring("Running health checks"))))
		Consistently(w.kstatus(ctx, ada), fluxInterval).Should(Equal(kstatus.InProgressStatus))

		creation.Release()
		flux.applied(ctx, hash)
		Expect(w.kstatus(ctx, ada)()).To(Equal(kstatus.CurrentStatus))

		hash = flux.push(ctx, "a concurrency group that LambdaTest does not have", w.person(ada, "concurrencyGroup: QE"))
		Eventually(flux.condition(ctx, "Ready", hash)).Should(And(
			HaveField("Status", metav1.ConditionFalse),
			HaveField("Reason", "HealthCheckFailed"),
			HaveField("Message", ContainSubstring("stalled resources: [LambdaTestUser/"+w.namespace+"/"+ada))))
		Expect(w.kstatus(ctx, ada)()).To(Equal(kstatus.FailedStatus))
		Expect(must(w.claim(ctx, ada)())).To(haveReadyMessage(ContainSubstring(`"QE"`)))

		flux.commit(ctx, "the one that it has", w.person(ada, "concurrencyGroup: QA"))
		Expect(w.kstatus(ctx, ada)()).To(Equal(kstatus.CurrentStatus))
		Expect(w.account(ada)()).To(HaveField("ConcurrencyGroup", "QA"))
	})

	It("does not take a resource for ready that the operator has not seen", func(ctx SpecContext) {
		w := newWorld(ctx)
		// The operator does not reconcile users of an organization that does not exist, so this resource stays as right after its creation.
		unseen := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal([]byte(w.manifest(ada, "organizationRef: {name: another}")), &unseen.Object)).To(Succeed())
		unseen.SetNamespace(w.namespace)

		Expect(env.Client.Create(ctx, unseen)).To(Succeed())

		Expect(must(kstatus.Compute(unseen)).Status).To(Equal(kstatus.InProgressStatus))
		Expect(unseen.Object["status"]).To(HaveKeyWithValue("observedGeneration", BeEquivalentTo(-1)))
	})

	It("declares a person from an exported manifest, and is refused a raw copy with a message that says so", Label("adoption"), func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		id := w.assign(ctx, ada, v1alpha1.RoleAdmin)
		Eventually(w.claim(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
		writes := w.LambdaTest.Writes()

		flux.commit(ctx, "ada, exported", file("ada.yaml", w.cli(ctx, "export", id)))
		name := strings.Replace(w.address(ada), "@", "-at-", 1)
		Expect(must(w.claim(ctx, name)())).To(And(
			BeReady(v1alpha1.SyncedReason),
			HaveField("Labels", Not(HaveKey(v1alpha1.SourceLabel))),
			HaveField("Spec.Role", v1alpha1.RoleAdmin)))
		Expect(w.LambdaTest.Writes()).To(Equal(writes), "it says what is there")

		hash := flux.push(ctx, "alan, and a raw copy of ada",
			w.person(alan), file("copy.yaml", w.rawCopy(ctx, id, "ada-copy")))
		Eventually(flux.condition(ctx, "Ready", hash)).Should(And(
			HaveField("Status", metav1.ConditionFalse),
			HaveField("Message", And(ContainSubstring("ada-copy"), ContainSubstring("kubectl lambdatest export")))))
		Expect(w.exists(ctx, "ada-copy")()).To(BeFalse())

		flux.commit(ctx, "without the copy", without("copy.yaml"))
		Expect(w.active()).To(ConsistOf(ada, alan))
		w.setActive(ctx, id, false)
		Eventually(w.active).Should(ConsistOf(alan), "the exported claim does not keep whom Okta denies")
	})

	It("changes nothing in ten idle intervals, nor does the operator", Label("idle"), func(ctx SpecContext) {
		w := newWorld(ctx)
		flux := w.flux(ctx)
		id := w.assign(ctx, alan, v1alpha1.RoleUser)
		flux.commit(ctx, "two people, one of them Okta's", w.person(ada, "role: Admin"), w.person(alan))
		Eventually(w.claim(ctx, id)).Should(BeReady(v1alpha1.SyncedReason))
		w.settled(ctx, 2)
		versions, writes := w.versions(ctx), w.LambdaTest.Writes()
		reconciliations := must(flux.status(ctx)).reconciliations()

		Eventually(func() (int, error) {
			status, err := flux.status(ctx)
			return status.reconciliations(), err
		}).Should(BeNumerically(">=", reconciliations+10))

		Expect(w.versions(ctx)).To(Equal(versions), "resourceVersions")
		Expect(w.LambdaTest.Writes()).To(Equal(writes))
	})
})

// kstatus returns a function for Eventually: what Flux's `wait`, kubectl and others conclude from a resource's status.
func (w *world) kstatus(ctx context.Context, name string) func() (kstatus.Status, error) {
	return func() (kstatus.Status, error) {
		object := &unstructured.Unstructured{}
		object.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.UserKind))
		if err := env.Client.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, object); err != nil {
			return "", err
		}
		result, err := kstatus.Compute(object)
		if err != nil {
			return "", err
		}
		return result.Status, nil
	}
}

// haveReadyMessage matches a resource by the message of its Ready condition.
func haveReadyMessage(message types.GomegaMatcher) types.GomegaMatcher {
	return HaveField("Status.Conditions", ContainElement(And(
		HaveField("Type", v1alpha1.ReadyCondition), HaveField("Message", message))))
}

// versions are the resourceVersions of everything that is about the organization.
func (w *world) versions(ctx context.Context) map[string]string {
	GinkgoHelper()
	versions := w.claimVersions(ctx)
	organization := w.resource(ctx)
	versions["the organization"] = organization.ResourceVersion
	return versions
}

// claimVersions are the resourceVersions of the claims about its people.
func (w *world) claimVersions(ctx context.Context) map[string]string {
	GinkgoHelper()
	versions := map[string]string{}
	for _, user := range w.claims(ctx) {
		versions[user.Name] = user.ResourceVersion
	}
	return versions
}
