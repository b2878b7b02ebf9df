// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// generatedYAML and generatedTemplate are the headers of generated files.
const (
	generatedYAML     = "# Generated from %s by hack/chart. Do not edit: run make generate.\n"
	generatedTemplate = "{{- /* Generated from %s by hack/chart. Do not edit: run make generate. */ -}}\n"
)

// text is YAML that becomes a template. It keeps the comments and layout of the source. It remembers the first replacement that failed,
// so that a change of the source cannot silently leave a literal in the chart.
type text struct {
	content string
	err     error
}

// literal escapes a source for use in a template.
func literal(source string) *text {
	return &text{content: strings.ReplaceAll(source, "{{", `{{ "{{" }}`)}
}

// replace replaces old, which must occur exactly count times, with new.
func (t *text) replace(count int, old, new string) *text {
	found := strings.Count(t.content, old)
	if found != count && t.err == nil {
		t.err = fmt.Errorf("%q occurs %d times instead of %d: adapt hack/chart", old, found, count)
	}
	t.content = strings.ReplaceAll(t.content, old, new)
	return t
}

func (t *text) result() (string, error) {
	return t.content, t.err
}
