// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
)

const (
	// settleTimeout is for a loaded machine.
	settleTimeout = time.Minute
	pollInterval  = 50 * time.Millisecond

	// binaryVariable names the operator's binary, such as the one out of the image; without it, it is built.
	binaryVariable = "OPERATOR_BINARY"
)

// root is the folder of the repository, binary the operator's.
var root, binary string

func TestInstall(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(settleTimeout)
	SetDefaultEventuallyPollingInterval(pollInterval)
	EnforceDefaultTimeoutsWhenUsingContexts()
	ctrl.SetLogger(GinkgoLogr)
	RunSpecs(t, "Installation")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	root, err = controlplane.ModuleRoot()
	Expect(err).NotTo(HaveOccurred())
	if _, err := os.Stat(helmPath()); err != nil {
		Skip("there is no bin/helm: make package builds it and runs these specs")
	}
	binary = os.Getenv(binaryVariable)
	if binary != "" {
		Expect(binary).To(BeARegularFile(), "%s", binaryVariable)
		return
	}
	binary = filepath.Join(GinkgoT().TempDir(), "lambdatest-operator")
	build := exec.CommandContext(ctx, filepath.Join(root, "hack/build.sh"), binary)
	output, err := build.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "building the operator:\n%s", output)
})

func helmPath() string { return filepath.Join(root, "bin", "helm") }

func chartPath() string { return filepath.Join(root, "charts", "lambdatest-operator") }
