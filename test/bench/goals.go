// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// goalsFile has every figure, its goal, and what was seen when the goal was set.
//
//go:embed goals.json
var goalsFile []byte

// goal is what a figure should be.
type goal struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	// Comparison of the value with the goal: ">=", "<=" or "=".
	Comparison string  `json:"comparison"`
	Goal       float64 `json:"goal"`
	// Every round has to reach it, and the value is that of the worst; otherwise it is the median.
	Every bool `json:"every,omitempty"`
	// Means says what the figure is.
	Means string `json:"means"`
	// Seen are mean and spread of the values of earlier runs, to judge whether a difference is real.
	Seen *seen `json:"seen,omitempty"`
}

type seen struct {
	Mean   float64 `json:"mean"`
	Spread float64 `json:"spread"`
}

func readGoals() (map[string]goal, []string, error) {
	var list []goal
	if err := json.Unmarshal(goalsFile, &list); err != nil {
		return nil, nil, fmt.Errorf("reading goals.json: %w", err)
	}
	goals, order := map[string]goal{}, []string{}
	for _, g := range list {
		goals[g.Name], order = g, append(order, g.Name)
	}
	return goals, order, nil
}

func (g goal) reached(value float64) bool {
	switch g.Comparison {
	case ">=":
		return value >= g.Goal
	case "<=":
		return value <= g.Goal
	default:
		return value == g.Goal
	}
}

// worse tells whether a is further from the goal than b.
func (g goal) worse(a, b float64) bool {
	switch g.Comparison {
	case ">=":
		return a < b
	case "<=":
		return a > b
	default:
		return abs(a-g.Goal) > abs(b-g.Goal)
	}
}

func abs(x float64) float64 { return max(x, -x) }

func (g goal) String() string { return fmt.Sprintf("%s %s", g.Comparison, number(g.Goal)) }
