// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// update writes the table of docs/simulator.md instead of comparing it: go test ./lambdatest/simulator -run Documentation -update
var update = flag.Bool("update", false, "write the table of docs/simulator.md")

func TestDocumentationHasEveryReading(t *testing.T) {
	const (
		page  = "../../docs/simulator.md"
		begin = "<!-- readings: written by `go test ./lambdatest/simulator -run Documentation -update` -->\n"
		end   = "<!-- end of readings -->\n"
	)
	stored, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(stored), begin)
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		t.Fatalf("%s has no place for the table", page)
	}
	want := before + begin + "\n" + table() + "\n" + end + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(stored)); diff != "" {
		t.Errorf("%s is stale, run `go test ./lambdatest/simulator -run Documentation -update` (-want +got):\n%s", page, diff)
	}
}

// table is Markdown.
func table() string {
	var text strings.Builder
	fmt.Fprintln(&text, "| reading | decides | settings | counts | where it is open |")
	fmt.Fprintln(&text, "|---|---|---|---|---|")
	for _, reading := range simulator.Readings() {
		var settings []string
		for _, setting := range reading.Settings {
			settings = append(settings, fmt.Sprintf("`%s`: %s", setting.Name, setting.Does))
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s | %s |\n",
			reading.Name, reading.Decides, strings.Join(settings, "<br>"), reading.Counts, reading.Source)
	}
	return text.String()
}
