// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	accepted := flag.String("accepted", "hack/vuln/accepted.yaml", "`file` with the accepted findings and their reasons")
	flag.Parse()
	if err := run(*accepted); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(acceptedFile string) error {
	content, err := os.ReadFile(acceptedFile)
	if err != nil {
		return err
	}
	accepted, err := readAccepted(content)
	if err != nil {
		return fmt.Errorf("reading %s: %w", acceptedFile, err)
	}
	scan, err := readScan(os.Stdin)
	if err != nil {
		return fmt.Errorf("reading the output of govulncheck: %w", err)
	}
	verdict := judge(scan, accepted)
	fmt.Print(verdict)
	return verdict.err()
}
