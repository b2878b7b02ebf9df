// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scim

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecode(t *testing.T) {
	for text, want := range map[string]map[string]any{
		`{}`: {},
		" {\"a\":[1,-2.50,\"x\\u00e9\",true,null,{}],\"b\":{\"c\":false}}\n": {
			"a": []any{json.Number("1"), json.Number("-2.50"), "xé", true, nil, map[string]any{}}, "b": map[string]any{"c": false},
		},
		"\ufeff{\"a\":1}":                    {"a": json.Number("1")},
		`{"a":1,"b":0,"a":2,"a":[3]}`:        {"a": Repeated{json.Number("1"), json.Number("2"), []any{json.Number("3")}}, "b": json.Number("0")},
		"{\"a\":\"\xff\",\"b\":\"\\ud800\"}": {"a": "\ufffd", "b": "\ufffd"},
	} {
		got, err := Decode([]byte(text), 100)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %v\n%s", text, err, cmp.Diff(got, want))
		}
	}
	for _, text := range []string{``, `[]`, `null`, `7`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":[1`, `{} {}`, `{}x`, `{"a":1]`, `{1:2}`, `{"a":1,}`} {
		if _, err := Decode([]byte(text), 100); err == nil {
			t.Errorf("%s is decoded", text)
		}
	}
}

func TestDecodeStopsAtItsLimits(t *testing.T) {
	for text, part := range map[string]string{
		`{"a":[` + strings.Repeat("{},", 200) + `{}]}`:                                    "too many elements",
		`{"a":[` + strings.Repeat("1,", 200) + `no JSON`:                                  "too many elements",
		`{"a":` + strings.Repeat("[", maxNesting) + strings.Repeat("]", maxNesting) + `}`: "deeper",
		`{"a":` + strings.Repeat("[", maxNesting) + ` no JSON`:                            "deeper",
		strings.Repeat(`{"a":`, maxNesting-1) + `{}` + strings.Repeat("}", maxNesting-1):  "",
		`{"a":"` + strings.Repeat("[{,", 1000) + `"}`:                                     "",
		`{` + strings.TrimSuffix(strings.Repeat(`"a":1,`, 200), ",") + `}`:                "too many elements",
	} {
		_, err := Decode([]byte(text), 100)
		if (err == nil) != (part == "") || err != nil && !strings.Contains(err.Error(), part) {
			t.Errorf("%.60s: got %v, want %q", text, err, part)
		}
	}
}

func TestErrorDetailsDoNotRepeatTheBody(t *testing.T) {
	for _, body := range []string{`{"password":"hunter2`, `{"password":hunter2}`, `["hunter2"]`, `{"password":"hunter2"} x`, `{"hunter2":1 "hunter2"}`} {
		_, err := Decode([]byte(body), 1<<20)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", body, err)
		}
	}
}
