// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/audit"
)

// docs/audit.md has a row for each event and each field.
func TestTheDocumentationHasEachEventAndField(t *testing.T) {
	text, err := os.ReadFile("../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([A-Za-z]+)`").FindAllStringSubmatch(string(text), -1)
	var documented []string
	for _, row := range rows {
		documented = append(documented, row[1])
	}
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[audit.Line]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	for _, event := range audit.Events {
		names = append(names, string(event))
	}
	for _, name := range names {
		if !slices.Contains(documented, name) {
			t.Errorf("docs/audit.md has no row for `%s`", name)
		}
	}
}
