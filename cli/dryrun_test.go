// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// manifestsFrom are two that the API server takes and two that it refuses: a role in small letters, and a person without a name.
const manifestsFrom = `apiVersion: iam.lambdatest.io/v1alpha1
kind: LambdaTestUser
metadata: {name: good}
spec: {organizationRef: {name: examined}, userName: good@example.com, name: {givenName: A, familyName: B}, role: Admin}
---
apiVersion: iam.lambdatest.io/v1alpha1
kind: LambdaTestUser
metadata: {name: lower}
spec: {organizationRef: {name: examined}, userName: lower@example.com, name: {givenName: A, familyName: B}, role: admin}
---
apiVersion: iam.lambdatest.io/v1alpha1
kind: LambdaTestUser
metadata: {name: nameless}
spec: {organizationRef: {name: examined}, userName: nameless@example.com}
---
apiVersion: iam.lambdatest.io/v1alpha1
kind: LambdaTestUser
metadata: {name: settled}
spec: {organizationRef: {name: examined}, userName: renamed@example.com, name: {givenName: A, familyName: B}}
`

var _ = Describe("a plan", func() {
	It("names the manifests that the API server would refuse, is without them, and writes nothing", func(ctx SpecContext) {
		_, args := examined(ctx, nil, 3)
		shown, err := called(ctx, planCommand(), manifestsFrom, append(args, "-f", "-")...)
		Expect(err).To(MatchError("the API server would refuse 3 manifests"))
		Expect(ExitCode(err)).To(Equal(1))
		Expect(shown).To(MatchRegexp(`good@example.com +create +account: good@example.com, role: Admin +LambdaTestUser/good`))
		Expect(shown).To(ContainSubstring("Becomes Admin: good@example.com."))
		Expect(shown).To(MatchRegexp(`LambdaTestUser/lower .*Unsupported value: "admin"`))
		Expect(shown).To(MatchRegexp(`LambdaTestUser/nameless .*name is required unless active is false`))
		Expect(shown).To(MatchRegexp(`LambdaTestUser/settled .*userName is immutable`))
		Expect(shown).NotTo(ContainSubstring("lower@example.com   create"))
		good := &v1alpha1.LambdaTestUser{}
		Expect(apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKey{Namespace: args[1], Name: "good"}, good))).To(BeTrue())
	})
})
