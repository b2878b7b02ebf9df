// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

const (
	// staff is how many people are in the folder, and mayGo how many of them may be deactivated by deleting resources.
	staff = 8
	mayGo = 2
)

var _ = Describe("a folder of people that is emptied by mistake", Label("prune-guard"), func() {
	Context("followed by Flux", Label("flux"), func() {
		It("loses nobody as long as the folder is gone, too: Flux refuses", func(ctx SpecContext) {
			w := guardedWorld(ctx)
			flux := w.flux(ctx)
			flux.commit(ctx, "everybody", w.everybody()...)

			flux.push(ctx, "oops", w.nobody()...)

			Eventually(func() ([]metav1.Condition, error) {
				status, err := flux.status(ctx)
				return status.Conditions, err
			}).Should(ContainElement(And(HaveField("Type", "Ready"), HaveField("Message", ContainSubstring("kustomization path not found")))))
			Expect(w.active()).To(HaveLen(staff))
		})

		It("is held beyond the limit; a rejection releases, and Git re-creates without anyone having lost access", func(ctx SpecContext) {
			w := guardedWorld(ctx)
			flux := w.flux(ctx)
			flux.commit(ctx, "everybody", append(w.everybody(), readme)...)

			flux.push(ctx, "oops", w.nobody()...)
			held := w.holding(ctx, staff-mayGo)
			stillActive := w.active()
			Expect(stillActive).To(HaveLen(staff - mayGo))
			flux.again(ctx)
			w.afterSweeps(2)
			Expect(w.active()).To(Equal(stillActive), "neither Flux nor a comparison moves whom the guard holds")
			Expect(must(w.claim(ctx, held.People[0])())).To(BeStalled(v1alpha1.DeprovisionHeldReason))
			Expect(w.kstatus(ctx, held.People[0])()).To(BeEquivalentTo("Terminating"))
			deactivations := w.LambdaTest.Count("PATCH /Users/{id}") + w.LambdaTest.Count("DELETE /Users/{id}")

			w.cli(ctx, "reject", "--organization", organizationName, "--token", held.Token, "--yes")
			for _, name := range held.People {
				Eventually(w.exists(ctx, name)).Should(BeFalse())
			}
			Expect(w.active()).To(Equal(stillActive))
			w.git.revert(ctx)
			flux.fetch(ctx)

			Eventually(w.active).Should(HaveLen(staff))
			Eventually(func() []v1alpha1.LambdaTestUser { return w.claims(ctx) }).Should(
				And(HaveLen(staff), HaveEach(HaveField("Status.Account.Active", true))))
			Expect(w.LambdaTest.Count("PATCH /Users/{id}")+w.LambdaTest.Count("DELETE /Users/{id}")).To(Equal(deactivations+mayGo),
				"only those who had gone were touched: they are back")
			w.free(ctx)
		})

		It("comes back when the commit is reverted first and the rejection follows", func(ctx SpecContext) {
			w := guardedWorld(ctx)
			flux := w.flux(ctx)
			flux.commit(ctx, "everybody", append(w.everybody(), readme)...)
			flux.push(ctx, "oops", w.nobody()...)
			held := w.holding(ctx, staff-mayGo)
			stillActive := w.active()

			w.git.revert(ctx)
			flux.fetch(ctx)
			Eventually(w.active).Should(HaveLen(staff), "those who had gone are declared again")
			w.cli(ctx, "reject", "--organization", organizationName, "--token", held.Token, "--yes")

			for _, name := range held.People {
				Eventually(w.claim(ctx, name)).Should(And(HaveField("DeletionTimestamp", BeNil()), BeReady(v1alpha1.SyncedReason)))
			}
			Expect(w.active()).To(ContainElements(stillActive))
			Expect(w.active()).To(HaveLen(staff))
			w.free(ctx)
		})

		It("was meant when somebody approves: exactly the held set is deactivated", func(ctx SpecContext) {
			w := guardedWorld(ctx)
			flux := w.flux(ctx)
			flux.commit(ctx, "everybody", append(w.everybody(), readme)...)
			w.assign(ctx, ada, "")
			flux.push(ctx, "the team has left", w.nobody()...)
			held := w.holding(ctx, staff-mayGo)

			w.cli(ctx, "approve", "--organization", organizationName, "--token", held.Token, "--yes")

			Eventually(w.active).Should(ConsistOf(ada))
			for _, name := range held.People {
				Eventually(w.exists(ctx, name)).Should(BeFalse())
			}
			w.free(ctx)
		})

		It("does not decide about a set that nobody has looked at", func(ctx SpecContext) {
			w := guardedWorld(ctx)
			flux := w.flux(ctx)
			flux.commit(ctx, "everybody", append(w.everybody(), readme)...)
			flux.push(ctx, "half of them", without(personFiles[:staff/2]...))
			seen := w.holding(ctx, staff/2-mayGo)

			flux.push(ctx, "and the others", without(personFiles[staff/2:]...))
			grown := w.holding(ctx, staff-mayGo)
			Expect(grown.Token).NotTo(Equal(seen.Token))
			w.annotate(ctx, v1alpha1.ApproveDeprovisionAnnotation, seen.Token)

			Eventually(func() (string, error) {
				return env.Kubectl(ctx, "get", "events", "--namespace", w.namespace, "--field-selector", "reason=StaleToken")
			}).Should(ContainSubstring(v1alpha1.ApproveDeprovisionAnnotation))
			w.afterSweeps(1)
			Expect(w.active()).To(HaveLen(staff - mayGo))
		})
	})

	for _, way := range []struct {
		label      string
		serverSide bool
	}{{"argo-csa", false}, {"argo-ssa", true}} {
		It("is held when Argo CD prunes it, and comes back with the next sync after a rejection", Label(way.label), func(ctx SpecContext) {
			w := guardedWorld(ctx)
			argo := w.argo(way.serverSide)
			argo.commit(ctx, "everybody", append(w.everybody(), readme)...)
			Eventually(w.active).Should(HaveLen(staff))
			w.settled(ctx, staff)

			argo.commit(ctx, "oops", w.nobody()...)
			held := w.holding(ctx, staff-mayGo)
			stillActive := w.active()
			argo.sync(ctx)
			Expect(w.active()).To(Equal(stillActive))

			w.cli(ctx, "reject", "--organization", organizationName, "--token", held.Token, "--yes")
			for _, name := range held.People {
				Eventually(w.exists(ctx, name)).Should(BeFalse())
			}
			w.git.revert(ctx)
			argo.sync(ctx)

			Eventually(w.active).Should(HaveLen(staff))
			Expect(w.active()).To(ContainElements(stillActive))
			w.free(ctx)
		})
	}
})

var (
	// personFiles are the files of everybody.
	personFiles = func() []string {
		files := make([]string, staff)
		for i := range files {
			files[i] = fileName(fmt.Sprintf("person-%d", i))
		}
		return files
	}()
	// readme keeps the folder alive when the people go: git knows no empty folders.
	readme = file("README.md", "Who may use LambdaTest.\n")
)

// guardedWorld allows one in four people to lose access within an hour without an explicit denial.
func guardedWorld(ctx context.Context) *world {
	GinkgoHelper()
	return newWorld(ctx, func(organization *v1alpha1.LambdaTestOrganization) {
		organization.Spec.DeprovisionGuard = v1alpha1.DeprovisionGuard{Minimum: new(int32(0)), Percent: new(int32(100 * mayGo / staff))}
	})
}

// everybody is a file for each of the staff, nobody their removal.
func (w *world) everybody() []change {
	changes := make([]change, 0, staff)
	for _, name := range personFiles {
		changes = append(changes, w.person(strings.TrimSuffix(name, ".yaml"), "role: User"))
	}
	return changes
}

func (w *world) nobody() []change { return []change{without(personFiles...)} }

// holding waits until the guard holds that many, and returns the set.
func (w *world) holding(ctx context.Context, people int) *v1alpha1.HeldSet {
	GinkgoHelper()
	Eventually(func() *v1alpha1.LambdaTestOrganization { return w.resource(ctx) }).Should(HaveField("Status.Guard",
		HaveValue(HaveField("Held", HaveValue(HaveField("Count", BeEquivalentTo(people)))))))
	Eventually(func() *v1alpha1.LambdaTestOrganization { return w.resource(ctx) }).
		Should(HaveCondition(v1alpha1.GuardHoldingCondition, metav1.ConditionTrue, v1alpha1.DeprovisionHeldReason))
	return w.resource(ctx).Status.Guard.Held
}

// free waits until the guard no longer holds anything.
func (w *world) free(ctx context.Context) {
	GinkgoHelper()
	Eventually(func() []metav1.Condition { return w.resource(ctx).Status.Conditions }).ShouldNot(
		ContainElement(HaveField("Type", v1alpha1.GuardHoldingCondition)))
}

// annotate is `kubectl annotate` on the organization.
func (w *world) annotate(ctx context.Context, annotation, value string) {
	GinkgoHelper()
	must(env.Kubectl(ctx, "annotate", "lambdatestorganization", "--namespace", w.namespace, organizationName, "--overwrite", annotation+"="+value))
}
