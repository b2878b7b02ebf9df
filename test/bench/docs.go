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

// Between two such markers of a page stands what this program writes.
const (
	tableBegins = "<!-- figures: written by go run ./test/bench -docs -->"
	tableEnds   = "<!-- end of figures -->"
)

// writeDocs puts the figures and plots of earlier runs into docs/performance.md, and the costs into docs/scaling.md.
func writeDocs(root string, goals map[string]goal, r *results) error {
	folder := filepath.Join(root, "docs/performance")
	plots, err := copyPlots(filepath.Join(root, "out/plots"), folder)
	if err != nil {
		return err
	}
	const summary = "goals.svg"
	if err := os.WriteFile(filepath.Join(folder, summary), overview(goals, r), 0o644); err != nil {
		return err
	}
	return errors.Join(
		rewrite(filepath.Join(root, "docs/performance.md"), markdown(goals, r)+pictures(append([]string{summary}, plots...))),
		rewrite(filepath.Join(root, "docs/scaling.md"), costs(r)),
	)
}

// rewrite puts a text between the markers of a page.
func rewrite(page, figures string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the figures: %s and %s", page, tableBegins, tableEnds)
	}
	return os.WriteFile(page, []byte(before+tableBegins+"\n\n"+figures+"\n"+tableEnds+after), 0o644)
}

// millionPeople are those of docs/scaling.md.
const millionPeople = 1_000_000

// costs shows what was measured, and as much more as a million people are more.
func costs(r *results) string {
	var text strings.Builder
	text.WriteString("| what | measured | of so many people | a million |\n|---|---|---|---|\n")
	for _, f := range r.list() {
		for _, c := range f.Costs {
			fmt.Fprintf(&text, "| %s | %s | %d | %s |\n", c.What, amount(c.Value, c.Unit), c.People,
				amount(c.Value*millionPeople/float64(c.People), c.Unit))
		}
	}
	return text.String()
}

// amount is in the largest unit of which there is one.
func amount(value float64, unit string) string {
	larger := map[string]struct {
		unit string
		size float64
	}{"MB": {"GB", 1000}, "ms": {"s", 1000}, "s": {"min", 60}, "min": {"h", 60}}
	for {
		next, known := larger[unit]
		if !known || value < 2*next.size {
			return number(value) + " " + unit
		}
		value, unit = value/next.size, next.unit
	}
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
