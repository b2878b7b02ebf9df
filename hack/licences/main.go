// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	texts := flag.String("texts", "", "write the texts of all licences to this `file`")
	flag.Parse()
	if err := run(context.Background(), *texts); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, texts string) error {
	modules, err := shippedModules(ctx)
	if err != nil {
		return err
	}
	var failures []error
	byLicence := map[string]int{}
	for i := range modules {
		if err := modules[i].judge(); err != nil {
			failures = append(failures, err)
			continue
		}
		for _, name := range modules[i].licences {
			byLicence[name]++
		}
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	report(len(modules), byLicence)
	if texts == "" {
		return nil
	}
	return os.WriteFile(texts, []byte(notices(modules)), 0o644)
}

func report(modules int, byLicence map[string]int) {
	var counts []string
	for name, count := range byLicence {
		counts = append(counts, fmt.Sprintf("%s %d", name, count))
	}
	slices.Sort(counts)
	fmt.Printf("%d modules are in the binary, all with allowed licences: %s\n", modules, strings.Join(counts, ", "))
}

// notices is the text of all licences, each with its module.
func notices(modules []module) string {
	var text strings.Builder
	for _, module := range modules {
		for _, file := range module.files {
			fmt.Fprintf(&text, "%s\n%s %s: %s\n\n%s\n", strings.Repeat("=", 78), module.Path, module.Version, file.name, file.text)
		}
	}
	return text.String()
}
