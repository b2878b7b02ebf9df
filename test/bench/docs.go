// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

// table is what a run ends with.
func (r *results) table() string {
	var text bytes.Buffer
	columns := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "FIGURE\tVALUE\tUNIT\tGOAL\tSPREAD\tREACHED\tDETAIL")
	for _, f := range r.list() {
		fmt.Fprintf(columns, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			f.Name, number(f.Value), f.Unit, f.Goal, number(f.Spread), f.verdict(), strings.Join(f.Detail, "; "))
	}
	_ = columns.Flush() // a buffer takes everything
	return text.String()
}

func (r result) verdict() string {
	verdict := "no"
	if r.Pass {
		verdict = "yes"
	}
	if r.Quick {
		verdict += " (short pass)"
	}
	return verdict
}

// Between the two markers stands what this program writes.
const (
	tableBegins = "<!-- figures: written by go run ./test/bench -docs -->"
	tableEnds   = "<!-- end of figures -->"
)

// writeDocs puts the figures and plots of earlier runs into docs/performance.md.
func writeDocs(root string, goals map[string]goal, r *results) error {
	page, folder := filepath.Join(root, "docs/performance.md"), filepath.Join(root, "docs/performance")
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return errors.New("docs/performance.md has no place for the figures: " + tableBegins + " and " + tableEnds)
	}
	plots, err := copyPlots(filepath.Join(root, "out/plots"), folder)
	if err != nil {
		return err
	}
	const summary = "goals.svg"
	if err := os.WriteFile(filepath.Join(folder, summary), overview(goals, r), 0o644); err != nil {
		return err
	}
	written := before + tableBegins + "\n\n" + markdown(goals, r) + pictures(append([]string{summary}, plots...)) + "\n" + tableEnds + after
	return os.WriteFile(page, []byte(written), 0o644)
}

func markdown(goals map[string]goal, r *results) string {
	var text strings.Builder
	text.WriteString("| figure | what it is | goal | measured | spread |\n|---|---|---|---|---|\n")
	for _, f := range r.list() {
		measured := number(f.Value) + " " + f.Unit
		if !f.Pass {
			measured = "**" + measured + "**, missed"
		}
		if f.Quick {
			measured += " (short pass)"
		}
		means := goals[f.Name].Means
		if len(f.Detail) > 0 {
			means += "<br>" + strings.Join(f.Detail, "<br>")
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s | %s |\n", f.Name, means, f.Goal, measured, number(f.Spread))
	}
	return text.String()
}

func pictures(names []string) string {
	var text strings.Builder
	for _, name := range names {
		fmt.Fprintf(&text, "\n![%s](performance/%s)\n", strings.TrimSuffix(name, ".svg"), name)
	}
	return text.String()
}

// copyPlots returns the names of those that there are.
func copyPlots(from, to string) ([]string, error) {
	plots, err := filepath.Glob(filepath.Join(from, "*.svg"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return nil, err
	}
	var names []string
	for _, plot := range plots {
		content, err := os.ReadFile(plot)
		if err != nil {
			return nil, err
		}
		name := filepath.Base(plot)
		if err := os.WriteFile(filepath.Join(to, name), content, 0o644); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}
