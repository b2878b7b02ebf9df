// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestAppendStringIsReadBackAsItWas(t *testing.T) {
	characters := rapid.OneOf(rapid.SampledFrom([]rune("\"\\<>&\x00\x1f\x7f\n ")), rapid.Rune())
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(characters).Draw(t, "text")
		appended, before := string(AppendString([]byte("before "), text)), "before "
		var read string
		if err := json.Unmarshal([]byte(strings.TrimPrefix(appended, before)), &read); err != nil {
			t.Fatalf("%q is not JSON: %v", appended, err)
		}
		if !strings.HasPrefix(appended, before) || utf8.ValidString(text) && read != text {
			t.Fatalf("%q became %q", text, appended)
		}
	})
}
