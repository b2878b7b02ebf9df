// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// audited are the lines of the audit trail of all replicas about an event of the organization.
func (w *world) audited(event audit.Event) func() ([]string, error) {
	return func() ([]string, error) {
		var found []string
		for _, replica := range w.env.Replicas {
			content, err := os.ReadFile(replica.LogPath())
			if err != nil {
				return nil, err
			}
			for line := range strings.Lines(string(content)) {
				if strings.Contains(line, "logger=audit event="+string(event)+" ") && strings.Contains(line, " organization="+w.Name+" ") {
					found = append(found, line)
				}
			}
		}
		return found, nil
	}
}

var _ = Describe("the audit trail", Label("audit"), func() {
	It("has each change at LambdaTest, each denial and its completion once, and no address", func(ctx SpecContext) {
		w := newWorld(ctx)
		ada, grace := w.address("ada"), w.address("grace")
		id := w.provisioned(ctx, ada)
		declared := w.declare(ctx, grace)
		Eventually(w.account(grace)).Should(beActive())

		w.deny(ctx, id)
		Eventually(w.account(ada)).Should(beInactive())
		Eventually(w.user(ctx, id)).Should(And(BeReady(v1alpha1.SyncedReason), HaveField("Status.OffAt", Not(BeNil()))))
		w.scim(ctx, "PATCH", "/Users/"+id, patch("replace", "", attributes{"active": true}), 200)
		Eventually(w.account(ada)).Should(beActive())
		w.prune(ctx, declared)
		Eventually(w.account(grace)).Should(beInactive())
		Eventually(w.readerOf(ctx, declared)).Should(beGone())
		w.afterSweeps(2)

		calls, err := w.audited(audit.Called)()
		Expect(err).NotTo(HaveOccurred())
		Expect(calls).To(And(HaveLen(w.LambdaTest.Writes()), HaveLen(5)), "two creations, a denial, its end, a deactivation")
		Expect(w.audited(audit.Denied)()).To(HaveLen(1))
		Expect(w.audited(audit.DenialDone)()).To(HaveLen(1))
		Expect(w.audited(audit.DenialEnded)()).To(HaveLen(1))
		Expect(w.audited(audit.TokenUsed)()).NotTo(BeEmpty())
		Expect(strings.Join(calls, "")).NotTo(ContainSubstring("@"))
	})
})
