// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// scan is the result of govulncheck.
type scan struct {
	goVersion string
	findings  map[string]*finding // by the vulnerability's id
}

// finding is a vulnerability in a module that is used.
type finding struct {
	summary string
	// module and version are where it was found; fixed is the version with a fix, empty if there is none.
	module, version, fixed string
	// reached says which function of this module calls the vulnerable code; empty if none is known.
	reached string
}

// message is one of the JSON objects that govulncheck writes; each has one of these fields.
type message struct {
	Config *struct {
		GoVersion string `json:"go_version"`
	} `json:"config"`
	OSV *struct {
		ID      string `json:"id"`
		Summary string `json:"summary"`
	} `json:"osv"`
	Finding *struct {
		OSV          string  `json:"osv"`
		FixedVersion string  `json:"fixed_version"`
		Trace        []frame `json:"trace"`
	} `json:"finding"`
}

// frame is one step of the call path to a vulnerability. The first frame is the vulnerable code.
type frame struct {
	Module   string `json:"module"`
	Version  string `json:"version"`
	Package  string `json:"package"`
	Receiver string `json:"receiver"`
	Function string `json:"function"`
}

func (f frame) String() string {
	name := f.Function
	if f.Receiver != "" {
		name = strings.TrimPrefix(f.Receiver, "*") + "." + name
	}
	return f.Package[strings.LastIndex(f.Package, "/")+1:] + "." + name
}

// readScan reads govulncheck's stream. A stream without the Go version is incomplete, and an error.
func readScan(stream io.Reader) (scan, error) {
	result := scan{findings: map[string]*finding{}}
	summaries := map[string]string{}
	for decoder := json.NewDecoder(stream); ; {
		var next message
		err := decoder.Decode(&next)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return scan{}, err
		}
		switch {
		case next.Config != nil:
			result.goVersion = next.Config.GoVersion
		case next.OSV != nil:
			summaries[next.OSV.ID] = next.OSV.Summary
		case next.Finding != nil && len(next.Finding.Trace) > 0:
			result.add(next.Finding.OSV, next.Finding.FixedVersion, next.Finding.Trace)
		}
	}
	if result.goVersion == "" {
		return scan{}, errors.New("the output has no Go version, so it is incomplete")
	}
	for id, found := range result.findings {
		found.summary = summaries[id]
	}
	return result, nil
}

// add adds a finding. Of several findings of one vulnerability, it keeps one in which the code is called.
func (s scan) add(id, fixed string, trace []frame) {
	found := s.findings[id]
	if found == nil {
		found = &finding{module: trace[0].Module, version: trace[0].Version, fixed: fixed}
		s.findings[id] = found
	}
	if trace[0].Function != "" && found.reached == "" {
		found.reached = fmt.Sprintf("%s calls %s", trace[len(trace)-1], trace[0])
	}
}
