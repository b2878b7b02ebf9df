// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command chart generates parts of the Helm chart and of the single-namespace overlay from config/, so that CRDs, rights and the admission
// policy have one source. hack/generate.sh runs it in the root of the repository.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

const (
	templates = "charts/lambdatest-operator/templates"
	overlay   = "config/overlays/single-namespace/operator"
)

// output is the path and the content of a generated file.
type output struct {
	path, content string
}

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func generate() error {
	outputs, err := crds()
	if err != nil {
		return fmt.Errorf("rendering the CRDs: %w", err)
	}
	policies, err := policies()
	if err != nil {
		return fmt.Errorf("rendering the admission policies: %w", err)
	}
	rights, err := rights()
	if err != nil {
		return fmt.Errorf("rendering the rights: %w", err)
	}
	return write(slices.Concat(outputs, policies, rights))
}

// write replaces folders that contain only generated files, so that files of removed kinds do not stay.
func write(outputs []output) error {
	if err := os.RemoveAll(filepath.Join(templates, "crds")); err != nil {
		return err
	}
	for _, out := range outputs {
		if err := os.MkdirAll(filepath.Dir(out.path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(out.path, []byte(out.content), 0o644); err != nil {
			return err
		}
	}
	return nil
}
