// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/test/conformance"
	"github.com/lambdatest-operator/lambdatest-operator/test/controlplane"
)

// transcriptFolder contains recorded exchanges of identity providers.
const transcriptFolder = "scimserver/testdata/idp"

// runConformance runs the suites against all replicas in turn, and prints a line for each suite and the total.
func runConformance(ctx context.Context, dir string) error {
	values, err := readEnvFile(dir)
	if err != nil {
		return err
	}
	root, err := controlplane.ModuleRoot()
	if err != nil {
		return err
	}
	target := &conformance.Target{BaseURLs: strings.Fields(values["SCIM_BASE_URLS"]), Token: values["SCIM_TOKEN"]}
	results, err := conformance.Run(ctx, target, os.DirFS(filepath.Join(root, transcriptFolder)))
	if err != nil {
		return err
	}
	passed, failed := 0, 0
	for _, result := range results {
		for _, failure := range result.Failures {
			fmt.Printf("  %s: %s\n", result.Suite, failure)
		}
		fmt.Println(result)
		passed, failed = passed+result.Passed, failed+result.Failed
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d requests were not answered as expected", failed, passed+failed)
	}
	return nil
}
