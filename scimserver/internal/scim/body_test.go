// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"strings"
	"testing"
)

func TestNesting(t *testing.T) {
	for text, want := range map[string]int{`{}`: 1, `[[1],[2]]`: 2, `{"a":"[[[["}`: 1, `{"a":"\"[["}`: 1, `{"a":[{"b":[]}]}`: 4, `"`: 0, `]]]`: 0} {
		if got := nesting([]byte(text)); got != want {
			t.Errorf("%s nests %d deep, want %d", text, got, want)
		}
	}
}

func TestErrorDetailsDoNotRepeatTheBody(t *testing.T) {
	for _, body := range []string{`{"password":"hunter2`, `{"password":hunter2}`, `["hunter2"]`, `{"password":"hunter2"} x`} {
		_, err := Decode([]byte(body), 1<<20)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestElementCount(t *testing.T) {
	for text, want := range map[string]int64{
		`{}`: 1, `{"a":1,"b":[1,2]}`: 4, `{"a":"x,{[\",{"}`: 1, `[[],[],[]]`: 6, ``: 0,
	} {
		if got := elementCount([]byte(text)); got != want {
			t.Errorf("%s has %d elements, want %d", text, got, want)
		}
	}
}
