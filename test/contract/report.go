// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// report is out/contract.json.
type report struct {
	Seed         uint64 `json:"seed"`
	Combinations int    `json:"combinations"`
	// Pairs of settings of two switches that were in a combination, and Of how many there are. Met counts those of which a story met both.
	Pairs int `json:"pairs"`
	Of    int `json:"of"`
	Met   int `json:"met"`
	// NeverMet are the settings that shaped no answer in the whole run.
	NeverMet   []string    `json:"neverMet"`
	Took       string      `json:"took"`
	Violations []violation `json:"violations"`

	whole bool
}

// examine adds up what the stories have found.
func (r *run) examine() *report {
	p := &report{
		Seed: r.options.seed, Combinations: len(r.stories), NeverMet: []string{}, Violations: []violation{},
		Took: time.Since(r.began).Round(time.Second).String(), whole: r.options.only == 0,
	}
	had, met := map[pair]bool{}, map[pair]bool{}
	shaped := map[choice]bool{}
	all := r.space.pairs()
	for _, s := range r.stories {
		p.Violations = append(p.Violations, s.found...)
		meets := s.met()
		for factor, setting := range s.row {
			shaped[choice{factor, setting}] = shaped[choice{factor, setting}] || meets[factor]
		}
		for _, one := range all {
			if s.row[one.first.factor] == one.first.setting && s.row[one.second.factor] == one.second.setting {
				had[one] = true
				met[one] = met[one] || meets[one.first.factor] && meets[one.second.factor]
			}
		}
	}
	p.Pairs, p.Of = len(had), len(all)
	for _, both := range met {
		if both {
			p.Met++
		}
	}
	for factor, reading := range simulator.Readings() {
		for number, setting := range reading.Settings {
			if !shaped[choice{factor, number}] {
				p.NeverMet = append(p.NeverMet, reading.Name+"="+setting.Name)
			}
		}
	}
	return p
}

// write writes the report, and returns what is wrong.
func (p *report) write(out string) error {
	encoded, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "contract.json"), append(encoded, '\n'), 0o600); err != nil {
		return err
	}
	fmt.Printf("%d combinations, %d of %d pairs (of %d a story met both), %d violations, in %s\n",
		p.Combinations, p.Pairs, p.Of, p.Met, len(p.Violations), p.Took)
	switch {
	case len(p.Violations) > 0:
		return fmt.Errorf("promises were not kept in the combinations %v: see %s", p.broken(), filepath.Join(out, "contract.json"))
	case p.whole && p.Pairs < p.Of:
		return fmt.Errorf("%d pairs of settings were in no combination", p.Of-p.Pairs)
	case p.whole && len(p.NeverMet) > 0:
		return fmt.Errorf("no story met %s", strings.Join(p.NeverMet, ", "))
	}
	return nil
}

// broken are the combinations with violations.
func (p *report) broken() []int {
	var numbers []int
	for _, v := range p.Violations {
		numbers = append(numbers, v.Combination)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// keepCalls writes what LambdaTest was asked, to help to understand a violation.
func (s *story) keepCalls() {
	var lines strings.Builder
	fmt.Fprintf(&lines, "%s\n", deviations(s.settings))
	for _, call := range s.LambdaTest.Calls() {
		fmt.Fprintf(&lines, "%8.2fs %s %s %s: %d %s\n", call.Time.Sub(s.run.began).Seconds(), call.Method, call.Path, call.Query.Encode(), call.Status, call.Body)
	}
	_ = os.WriteFile(filepath.Join(s.run.options.out, fmt.Sprintf("contract-calls-%02d.txt", s.number)), []byte(lines.String()), 0o600)
}
