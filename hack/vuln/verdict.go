// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// readAccepted reads the accepted findings: the reason by id. A finding without a reason is an error.
func readAccepted(content []byte) (map[string]string, error) {
	var accepted map[string]string
	if err := yaml.UnmarshalStrict(content, &accepted); err != nil {
		return nil, err
	}
	for id, reason := range accepted {
		if strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%s is accepted without a reason", id)
		}
	}
	return accepted, nil
}

// verdict is the result of comparing a scan with the accepted findings.
type verdict struct {
	text          strings.Builder
	unlisted, old []string
}

// judge fails on a vulnerability that is reached but not accepted, and on an accepted one that is not reached. It only shows a
// vulnerability in a used package or module that is not reached: upgrading is cheap, and the next change may reach it.
func judge(scan scan, accepted map[string]string) *verdict {
	v := &verdict{}
	fmt.Fprintf(&v.text, "built with %s\n", scan.goVersion)
	for _, id := range slices.Sorted(maps.Keys(scan.findings)) {
		v.add(id, scan.findings[id], accepted[id])
	}
	for _, id := range slices.Sorted(maps.Keys(accepted)) {
		if found := scan.findings[id]; found == nil || found.reached == "" {
			v.old = append(v.old, id)
		}
	}
	return v
}

func (v *verdict) add(id string, found *finding, reason string) {
	state := "FOUND"
	switch {
	case found.reached == "":
		state = "not reached"
	case reason != "":
		state = "accepted"
	default:
		v.unlisted = append(v.unlisted, id)
	}
	fmt.Fprintf(&v.text, "%-12s %s  %s %s, %s: %s\n", state, id, found.module, found.version, found.remedy(), found.summary)
	if found.reached != "" {
		fmt.Fprintf(&v.text, "             %s\n", found.reached)
	}
	if state == "accepted" {
		fmt.Fprintf(&v.text, "             because %s\n", strings.TrimSpace(reason))
	}
}

func (f *finding) remedy() string {
	if f.fixed == "" {
		return "no version fixes it"
	}
	return "fixed in " + f.fixed
}

func (v *verdict) String() string { return v.text.String() }

// err says what to do; it is nil if the scan passes.
func (v *verdict) err() error {
	var failures []error
	if len(v.unlisted) > 0 {
		failures = append(failures, fmt.Errorf("vulnerable code is reached (%s): upgrade, or add it with a reason to hack/vuln/accepted.yaml", strings.Join(v.unlisted, ", ")))
	}
	if len(v.old) > 0 {
		failures = append(failures, fmt.Errorf("accepted findings are no longer found (%s): remove them from hack/vuln/accepted.yaml", strings.Join(v.old, ", ")))
	}
	return errors.Join(failures...)
}
