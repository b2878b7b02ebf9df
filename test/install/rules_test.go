// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	. "github.com/lambdatest-operator/lambdatest-operator/test/expect"
)

// shippedRule is one rule of a role that the operator is bound to.
type shippedRule struct {
	kind, namespace, name string
	index                 int
	rule                  rbacv1.PolicyRule
}

func (r shippedRule) String() string {
	return fmt.Sprintf("%s of %s", strings.Join(r.rule.Verbs, ", "), strings.Join(r.rule.Resources, ", "))
}

// shippedRules reads the files, so that a rule that is added is tried, too.
func shippedRules() []shippedRule {
	var rules []shippedRule
	for _, file := range []string{"role.yaml", "leader_election.yaml", "metrics.yaml"} {
		content, err := os.ReadFile(filepath.Join("../../config/rbac", file))
		if err != nil {
			panic(err)
		}
		for _, document := range bytes.Split(content, []byte("\n---\n")) {
			var role rbacv1.ClusterRole
			if err := yaml.Unmarshal(document, &role); err != nil {
				panic(err)
			}
			for i, rule := range role.Rules {
				if len(rule.Resources) > 0 { // else it is for those who scrape
					rules = append(rules, shippedRule{role.Kind, role.Namespace, role.Name, i, rule})
				}
			}
		}
	}
	return rules
}

// Each entry removes one rule, and plays the story of "has no right that the operator does not use". The API server must then refuse a
// request of the operator.
var _ = Describe("a rule of the role that is taken away is missed:", Label("security", "rights"), func() {
	for _, shipped := range shippedRules() {
		It(shipped.String(), func(ctx SpecContext) {
			c, log := startAudited(ctx)
			c.takeAway(ctx, shipped)
			account := client.ObjectKey{Namespace: "lambdatest-operator-system", Name: "lambdatest-operator"}

			life, end := context.WithCancel(ctx)
			defer end()
			refused := make(chan right, 1)
			go func() {
				defer GinkgoRecover()
				defer end()
				if first, ok := firstRefused(life, log, account); ok {
					refused <- first
				}
			}()
			failure := InterceptGomegaFailure(func() { // ends soon after life does
				operator := liveThroughEverything(life, c)
				operator.scrape(life, "/metrics", &account)
			})

			var missed right
			Eventually(refused).WithTimeout(5*time.Second).Should(Receive(&missed), "nothing was refused; the story ended with: %v", failure)
			AddReportEntry("refused", missed.String())
		})
	}
})

// takeAway removes the rule from the role in the cluster.
func (c *cluster) takeAway(ctx context.Context, shipped shippedRule) {
	GinkgoHelper()
	meta := metav1.ObjectMeta{Namespace: shipped.namespace, Name: shipped.name}
	if shipped.kind == "Role" {
		Changed(ctx, c.Client, &rbacv1.Role{ObjectMeta: meta}, func(role *rbacv1.Role) {
			role.Rules = slices.Delete(role.Rules, shipped.index, shipped.index+1)
		})
		return
	}
	Changed(ctx, c.Client, &rbacv1.ClusterRole{ObjectMeta: meta}, func(role *rbacv1.ClusterRole) {
		role.Rules = slices.Delete(role.Rules, shipped.index, shipped.index+1)
	})
}

// firstRefused waits for the first thing that the account is refused.
func firstRefused(ctx context.Context, log string, account client.ObjectKey) (right, bool) {
	for ctx.Err() == nil {
		if _, refused, err := readRights(log, account); err == nil && len(refused) > 0 {
			return refused[0], true
		}
		select {
		case <-ctx.Done():
		case <-time.After(pollInterval):
		}
	}
	return right{}, false
}
