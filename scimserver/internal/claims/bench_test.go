// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"fmt"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/filter"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

func BenchmarkParseFilter(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = filter.Parse(`userName eq "ada@example.com"`)
	}
}

func BenchmarkRenderUser(b *testing.B) {
	view, dst := ada(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = UserType.Append(dst[:0], view, scim.Projection{})
	}
}

func BenchmarkMatchUser(b *testing.B) {
	parsed, _ := filter.Parse(`name.familyName co "x"`)
	match, _ := UserType.Match(parsed)
	view := ada()
	b.ReportAllocs()
	for b.Loop() {
		match(view)
	}
}

func BenchmarkPatchUser(b *testing.B) {
	body, _ := scim.Decode([]byte(deny), 1<<20)
	view := ada()
	b.ReportAllocs()
	for b.Loop() {
		operations, _ := scim.ReadPatch(body)
		_, _, _ = PatchUser(operations).On(view.User, UserRules{})
	}
}

func BenchmarkPatchGroup10000(b *testing.B) {
	group := &v1alpha1.LambdaTestGroup{Spec: v1alpha1.LambdaTestGroupSpec{DisplayName: "G"}}
	for i := range 10_000 {
		group.Spec.Members = append(group.Spec.Members, fmt.Sprintf("member%d@example.com", i))
	}
	add := PatchGroup([]scim.Operation{{Verb: scim.Add, Path: "members", Value: []any{map[string]any{"value": "new"}}}})
	b.ReportAllocs()
	for b.Loop() {
		_, _ = add.On(group, fuzzRules(), func([]string) (map[string]bool, error) { return nil, nil })
	}
}
