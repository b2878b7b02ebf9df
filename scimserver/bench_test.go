// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"fmt"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

func BenchmarkParseFilter(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = parseFilter(`userName eq "ada@example.com"`)
	}
}

func BenchmarkRenderUser(b *testing.B) {
	view, dst := ada(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = userType.appendResource(dst[:0], view, projection{})
	}
}

func BenchmarkRenderKeptUser(b *testing.B) {
	view, dst, kept := ada(), make([]byte, 0, 4096), newRenderings()
	b.ReportAllocs()
	for b.Loop() {
		dst = view.appendWhole(dst[:0], kept)
	}
}

func BenchmarkMatchUser(b *testing.B) {
	parsed, _ := parseFilter(`name.familyName co "x"`)
	match, _ := compileFilter(userType, parsed)
	view := ada()
	b.ReportAllocs()
	for b.Loop() {
		match(view)
	}
}

func BenchmarkPatchUser(b *testing.B) {
	body, _ := parseJSON([]byte(deny))
	view := ada()
	b.ReportAllocs()
	for b.Loop() {
		operations, _ := readPatch(body)
		_, _, _ = patchUser(operations).on(view.user, userRules{})
	}
}

func BenchmarkPatchGroup10000(b *testing.B) {
	group := &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "G"}}
	for i := range 10_000 {
		group.Spec.Members = append(group.Spec.Members, fmt.Sprintf("member%d@example.com", i))
	}
	add := patchGroup([]operation{{verb: opAdd, path: "members", value: []any{map[string]any{"value": "new"}}}})
	b.ReportAllocs()
	for b.Loop() {
		_, _ = add.on(group, fuzzRules(), func(string) bool { return false })
	}
}
