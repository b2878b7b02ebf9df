// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
)

// assetsVariable names a folder with the binaries to use instead of those built here; envtest reads it too.
const assetsVariable = "KUBEBUILDER_ASSETS"

var (
	thisModule        = regexp.MustCompile(`(?m)^module github\.com/lambdatest-operator/lambdatest-operator$`)
	kubernetesVersion = regexp.MustCompile(`k8s\.io/kubernetes v(\S+)`)
)

// Assets is the folder with etcd, kube-apiserver, kube-controller-manager and kubectl: the one KUBEBUILDER_ASSETS
// names, else the one that `make controlplane` fills for the pinned version.
func Assets() (string, error) {
	dir := os.Getenv(assetsVariable)
	if dir == "" {
		built, err := builtAssets()
		if err != nil {
			return "", fmt.Errorf("finding the control plane's binaries: %w", err)
		}
		dir = built
	}
	if _, err := os.Stat(filepath.Join(dir, "kube-apiserver")); err != nil {
		return "", fmt.Errorf("there is no control plane in %s: run `make controlplane`, or set %s to a folder with etcd and kube-apiserver", dir, assetsVariable)
	}
	return dir, nil
}

func builtAssets() (string, error) {
	root, err := ModuleRoot()
	if err != nil {
		return "", err
	}
	pins, err := os.ReadFile(filepath.Join(root, "hack", "controlplane", "go.mod"))
	if err != nil {
		return "", fmt.Errorf("reading the pinned version: %w", err)
	}
	version := kubernetesVersion.FindSubmatch(pins)
	if version == nil {
		return "", errors.New("hack/controlplane/go.mod requires no k8s.io/kubernetes")
	}
	name := fmt.Sprintf("%s-%s-%s", version[1], runtime.GOOS, runtime.GOARCH)
	return filepath.Join(root, "bin", "k8s", name), nil
}

// ModuleRoot returns the folder of the repository. It walks up from the working directory, which for a test is the folder of its package.
func ModuleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && thisModule.Match(content) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod of this module above the working directory, and %s is not set", assetsVariable)
		}
		dir = parent
	}
}
