// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// report is out/chaos.json.
type report struct {
	Seed         uint64 `json:"seed"`
	Duration     string `json:"duration"`
	Operations   int    `json:"operations"`
	Acknowledged int    `json:"acknowledged"`
	Unknown      int    `json:"unknown"`
	TurnedAway   int64  `json:"turnedAway"`

	Lost       int `json:"lost"`
	Duplicates int `json:"duplicates"`
	DenyLate   int `json:"deny_late"`

	Violations []violation    `json:"violations"`
	Faults     map[string]int `json:"faults"`
}

// examine lets everything come to rest and compares.
func (r *run) examine(ctx context.Context, out string) *report {
	report := &report{Faults: r.faults.counts, TurnedAway: r.turnedAway.Load()}
	users, groups := r.users.all(), r.groups.all()
	report.tell(r, linearizable("user", users, userModel(), out))
	report.tell(r, linearizable("group", groups, groupModel(), out))
	report.Operations = len(users) + len(groups)
	return report
}

// tell adds violations, and says how many.
func (p *report) tell(r *run, found []violation) {
	p.Violations = append(p.Violations, found...)
	for _, v := range found {
		r.progress("VIOLATION %s: %s: %s", v.Check, v.Whom, v.Detail)
	}
}

func (p *report) write(out string) error {
	encoded, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "chaos.json"), append(encoded, '\n'), 0o600); err != nil {
		return err
	}
	fmt.Println(string(encoded))
	if len(p.Violations) > 0 {
		return errors.New("promises were not kept")
	}
	return nil
}

// keepHistory writes every operation down.
func (r *run) keepHistory(out string) {
	file, err := os.Create(filepath.Join(out, "chaos-history.jsonl"))
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }()
	encoder := json.NewEncoder(file)
	for _, o := range r.users.all() {
		_ = encoder.Encode(o)
	}
	for _, o := range r.groups.all() {
		_ = encoder.Encode(o)
	}
}
