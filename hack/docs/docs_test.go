// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package docs_test checks that the documentation names code that exists.
package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

var (
	// goFile is a file of this repository, such as `controllers/person/plan.go`.
	goFile = regexp.MustCompile("`([a-z0-9_./]+/[a-z0-9_]+\\.go|main\\.go)`")
	// identifier is a name in code, such as `urgency` or `circuit.permits`, directly after an opening parenthesis or a comma.
	identifier = regexp.MustCompile("(?:\\(|, )`([A-Za-z_]+(?:\\.[A-Za-z_]+)?)`")
	// link is a relative link of Markdown.
	link = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
)

// The tables of docs/reliability.md name the function in which a protection was removed. After a rename they would lead nowhere.
func TestReliabilityNamesFunctionsThatExist(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "docs/reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for cell := range strings.SplitSeq(string(content), "|") {
		files := goFile.FindAllStringSubmatch(cell, -1)
		if len(files) == 0 {
			continue
		}
		var code strings.Builder
		for _, file := range files {
			text, err := os.ReadFile(filepath.Join(root, file[1]))
			if err != nil {
				t.Errorf("%s: %v", strings.TrimSpace(cell), err)
			}
			code.Write(text)
		}
		for _, name := range identifier.FindAllStringSubmatch(cell, -1) {
			last := name[1][strings.LastIndex(name[1], ".")+1:]
			if !regexp.MustCompile(`\b` + last + `\b`).MatchString(code.String()) {
				t.Errorf("%s: no %s there", strings.TrimSpace(cell), name[1])
			}
			checked++
		}
	}
	if checked < 50 {
		t.Errorf("found %d names: has the table another form now?", checked)
	}
}

func TestLinksLeadToFiles(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	decisions, err := filepath.Glob(filepath.Join(root, "docs/decisions/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(append(pages, decisions...), filepath.Join(root, "README.md"), filepath.Join(root, "CHANGELOG.md")) {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range link.FindAllStringSubmatch(string(content), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), target[1])); err != nil {
				t.Errorf("%s: %s leads nowhere", page, target[1])
			}
		}
	}
}
