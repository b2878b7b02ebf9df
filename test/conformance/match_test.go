// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func decode(t *testing.T, text string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		wanted, got string
		matches     bool
	}{
		{`{"a":1}`, `{"a":1,"b":2}`, true},
		{`{"a":1}`, `{"a":2}`, false},
		{`{"a":1}`, `{"a":"1"}`, false},
		{`{"a":1}`, `{}`, false},
		{`{"a":true}`, `{"a":"true"}`, false},
		{`[1,2]`, `[1,2]`, true},
		{`[1,2]`, `[2,1]`, false},
		{`[1]`, `[1,2]`, false},
		{`[{"a":1}]`, `[{"a":1,"b":2}]`, true},
		{`{"a":"{{any}}"}`, `{"a":[1]}`, true},
		{`{"a":"{{any}}"}`, `{"a":""}`, false},
		{`{"a":"{{any}}"}`, `{}`, false},
		{`{"a":"{{absent}}"}`, `{}`, true},
		{`{"a":"{{absent}}"}`, `{"a":null}`, false},
		{`{"a":{"b":1}}`, `{"a":1}`, false},
	} {
		if err := match("", decode(t, test.wanted), decode(t, test.got)); (err == nil) != test.matches {
			t.Errorf("%s against %s: %v, want a match: %v", test.wanted, test.got, err, test.matches)
		}
	}
}

func TestAt(t *testing.T) {
	value := decode(t, `{"Resources":[{"urn:a:2.0:User":{"b":7}}]}`)
	got, err := at(value, `Resources[0]["urn:a:2.0:User"].b`)
	if err != nil || textOf(got) != "7" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, path := range []string{"Resources[1]", "Resources.x", "x"} {
		if _, err := at(value, path); err == nil {
			t.Errorf("%s is found", path)
		}
	}
}

// An endpoint that answers nonsense fails every step of every suite.
func TestNonsenseFails(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		_, _ = w.Write([]byte(`{"Resources":[{"id":"x"}]}`))
	}))
	defer server.Close()
	transcripts := fstest.MapFS{"nonsense.json": {Data: []byte(`{"name":"nonsense","steps":[
		{"method":"GET","path":"/a","expect":{"status":404}},
		{"method":"GET","path":"/a","expect":{"status":200,"body":{"Resources":[]}}},
		{"method":"GET","path":"/a","expect":{"status":200},"capture":{"id":"id"}}]}`)}}
	results, err := Run(t.Context(), &Target{BaseURLs: []string{server.URL}}, transcripts)
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range results {
		if result.Passed != 0 || len(result.Failures) != result.Failed || result.Failed == 0 {
			t.Errorf("%s, failures %v", result, result.Failures)
		}
	}
}

func TestTranscriptsMustBeThere(t *testing.T) {
	if _, err := Run(t.Context(), &Target{BaseURLs: []string{"http://127.0.0.1:1"}}, fstest.MapFS{}); err == nil {
		t.Error("no transcripts are no error")
	}
}
