// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

const (
	overviewLeft, overviewRight = 170, 600
	overviewRow, overviewTop    = 20, 46
	// overviewReach is how many times better than its goal a figure is drawn at most, and how many times worse.
	overviewReach = 8.0
)

// overview draws each figure as a part of its goal: on the line it is just reached, to the right of it by how many times it is better.
// The bar is the figure, the dots are its rounds.
func overview(goals map[string]goal, r *results) []byte {
	list := r.list()
	bottom := overviewTop + overviewRow*len(list)
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d'>\n<rect width='100%%' height='100%%' fill='#fff'/>\n", plotWidth, bottom+30)
	fmt.Fprintf(&b, "<text x='%d' y='20' font-weight='bold' %s>How many times better than the goal</text>\n", overviewLeft, plotFont)
	for _, times := range []float64{1 / overviewReach, 0.25, 0.5, 1, 2, 4, overviewReach} {
		fmt.Fprintf(&b, "<path d='M%.1f %dV%d' stroke='#bbb'/><text x='%.1f' y='%d' text-anchor='middle' %s>%s</text>\n",
			overviewX(times), overviewTop-10, bottom, overviewX(times), bottom+16, plotFont, number(times))
	}
	for i, f := range list {
		overviewLine(&b, goals[f.Name], f, overviewTop+overviewRow*i+4)
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func overviewLine(b *strings.Builder, g goal, f result, y int) {
	colour := plotColours[0]
	if !f.Pass {
		colour = plotColours[1]
	}
	at := overviewX(g.margin(f.Value))
	fmt.Fprintf(b, "<text x='%d' y='%d' text-anchor='end' %s>%s</text>\n", overviewLeft-8, y+4, plotFont, html.EscapeString(f.Name))
	fmt.Fprintf(b, "<path d='M%.1f %dH%.1f' stroke='%s' stroke-width='8' opacity='0.6'/>\n", overviewX(1), y, at, colour)
	for _, value := range f.Runs {
		fmt.Fprintf(b, "<circle cx='%.1f' cy='%d' r='2.5' fill='%s'/>\n", overviewX(g.margin(value)), y, colour)
	}
}

// margin is how many times better than its goal a value is. A goal that is to be met exactly is met once, or missed by far.
func (g goal) margin(value float64) float64 {
	switch {
	case g.Comparison == ">=":
		return value / g.Goal
	case g.Comparison == "<=" && value > 0:
		return g.Goal / value
	case g.reached(value):
		return 1
	default:
		return 0
	}
}

func overviewX(times float64) float64 {
	reach := math.Log2(overviewReach)
	at := max(-reach, min(reach, math.Log2(times)))
	return overviewLeft + (at+reach)/(2*reach)*(overviewRight-overviewLeft)
}
