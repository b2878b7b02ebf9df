// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

// said is govulncheck's output about one vulnerability that is reached and one that is not.
const said = `
{"config": {"go_version": "go1.26.0"}}
{"osv": {"id": "GO-1", "summary": "a bad one"}}
{"osv": {"id": "GO-2", "summary": "a far one"}}
{"osv": {"id": "GO-3", "summary": "one of something else"}}
{"finding": {"osv": "GO-1", "fixed_version": "v1.2.4", "trace": [{"module": "example.com/m", "version": "v1.2.3"}]}}
{"finding": {"osv": "GO-1", "fixed_version": "v1.2.4", "trace": [
	{"module": "example.com/m", "version": "v1.2.3", "package": "example.com/m/p", "receiver": "*T", "function": "Do"},
	{"module": "example.com/own", "package": "example.com/own", "function": "main"}]}}
{"finding": {"osv": "GO-2", "trace": [{"module": "stdlib", "version": "v1.26.0", "package": "net/http"}]}}
`

func TestJudge(t *testing.T) {
	for name, test := range map[string]struct {
		accepted string
		failure  string // empty: none
	}{
		"what is reached fails":                     {"{}", "GO-1"},
		"what is accepted passes":                   {"GO-1: it waits for them", ""},
		"what is accepted and not reached fails":    {"GO-1: it waits\nGO-2: it does not matter", "GO-2"},
		"what is accepted and not there fails":      {"GO-1: it waits\nGO-3: it does not matter", "GO-3"},
		"what is only part of something else shows": {"GO-1: it waits", ""},
	} {
		t.Run(name, func(t *testing.T) {
			accepted, err := readAccepted([]byte(test.accepted))
			if err != nil {
				t.Fatal(err)
			}
			scan, err := readScan(strings.NewReader(said))
			if err != nil {
				t.Fatal(err)
			}
			verdict := judge(scan, accepted)
			for _, part := range []string{"GO-1", "a bad one", "own.main calls p.T.Do", "fixed in v1.2.4", "not reached  GO-2"} {
				if !strings.Contains(verdict.String(), part) {
					t.Errorf("%q is missing in\n%s", part, verdict)
				}
			}
			if err := verdict.err(); (err != nil) != (test.failure != "") || err != nil && !strings.Contains(err.Error(), test.failure) {
				t.Errorf("the verdict is %v, want one about %q", err, test.failure)
			}
		})
	}
}

func TestAFindingIsNotAcceptedWithoutAReason(t *testing.T) {
	for _, content := range []string{"GO-1: ''", "GO-1: ' '", "- GO-1"} {
		if _, err := readAccepted([]byte(content)); err == nil {
			t.Errorf("%q was accepted", content)
		}
	}
}

func TestAScanThatDidNotHappenFindsNothingOut(t *testing.T) {
	for _, stream := range []string{"", "govulncheck: loading packages", `{"config": {`} {
		if _, err := readScan(strings.NewReader(stream)); err == nil {
			t.Errorf("%q was accepted as a scan", stream)
		}
	}
}
