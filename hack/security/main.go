// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(files []string) error {
	proved, failed := 0, 0
	for _, file := range files {
		reports, err := read(file)
		if err != nil {
			return err
		}
		passedHere := 0
		for _, report := range reports {
			passed, broken := show(report)
			passedHere += passed
			failed += broken
		}
		if passedHere == 0 {
			return fmt.Errorf("none of the specs in %s ran", file)
		}
		proved += passedHere
	}
	fmt.Printf("%d security specs passed, %d failed\n", proved, failed)
	if failed > 0 {
		return fmt.Errorf("%d security specs failed", failed)
	}
	return nil
}

func read(file string) ([]types.Report, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var reports []types.Report
	if err := json.Unmarshal(content, &reports); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return reports, nil
}

// show prints the specs that ran. It prints setup and cleanup only if they failed.
func show(report types.Report) (passed, failed int) {
	fmt.Println(report.SuiteDescription)
	for _, spec := range report.SpecReports {
		switch {
		case spec.State.Is(types.SpecStatePassed) && spec.LeafNodeType.Is(types.NodeTypeIt):
			passed++
			fmt.Printf("  passed  %s%s\n", spec.FullText(), measured(spec))
		case spec.State.Is(types.SpecStateFailureStates):
			failed++
			fmt.Printf("  FAILED  %s, see %s\n", spec.FullText(), spec.FailureLocation())
		}
	}
	return passed, failed
}

// measured returns the entries that a spec added to its report.
func measured(spec types.SpecReport) string {
	var entries []string
	for _, entry := range spec.ReportEntries {
		if text := entry.StringRepresentation(); !strings.Contains(text, "\n") {
			entries = append(entries, entry.Name+" "+text)
		}
	}
	if len(entries) == 0 {
		return ""
	}
	return " (" + strings.Join(entries, "; ") + ")"
}
