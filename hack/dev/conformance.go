// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "context"

func runConformance(ctx context.Context, dir string) error {
	_, err := readEnvFile(dir)
	return err
}
