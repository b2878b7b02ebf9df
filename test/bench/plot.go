// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// plot is a drawing of series over the same kind of x.
type plot struct {
	title, x, y string
	// logX draws 1, 10 and 100 at equal distances.
	logX   bool
	series []series
}

// series are points in the order in which they are joined.
type series struct {
	name   string
	points []point
}

type point struct{ x, y float64 }

const (
	plotWidth, plotHeight = 640, 320
	plotLeft, plotRight   = 70, 620
	plotTop, plotBottom   = 40, 270
	plotTicks             = 4
	plotFont              = "font-family='sans-serif' font-size='12' fill='#444'"
)

// plotColours can be told apart by most eyes, on light and on dark pages.
var plotColours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7"}

// svg draws the plot; y begins at 0, so that heights can be compared.
func (p plot) svg() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d'>\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, "<rect width='100%%' height='100%%' fill='#fff'/>\n<text x='%d' y='22' font-weight='bold' %s>%s</text>\n", plotLeft, plotFont, html.EscapeString(p.title))
	p.axes(&b)
	for i, s := range p.series {
		p.line(&b, s, plotColours[i%len(plotColours)], plotTop+16*i)
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func (p plot) axes(b *strings.Builder) {
	_, _, top := p.bounds()
	for i := range plotTicks + 1 {
		y := top * float64(i) / plotTicks
		fmt.Fprintf(b, "<path d='M%d %.1fH%d' stroke='#ddd'/><text x='%d' y='%.1f' text-anchor='end' %s>%s</text>\n",
			plotLeft, p.atY(y), plotRight, plotLeft-6, p.atY(y)+4, plotFont, number(y))
	}
	for _, at := range p.ticksX() {
		fmt.Fprintf(b, "<text x='%.1f' y='%d' text-anchor='middle' %s>%s</text>\n", p.atX(at), plotBottom+18, plotFont, number(at))
	}
	fmt.Fprintf(b, "<text x='%d' y='%d' text-anchor='end' %s>%s</text>\n", plotRight, plotBottom+38, plotFont, html.EscapeString(p.x))
	fmt.Fprintf(b, "<text x='%d' y='%d' text-anchor='end' %s>%s</text>\n", plotRight, plotTop-18, plotFont, html.EscapeString(p.y))
}

func (p plot) line(b *strings.Builder, s series, colour string, legendY int) {
	var path strings.Builder
	for i, at := range s.points {
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], p.atX(at.x), p.atY(at.y))
		fmt.Fprintf(b, "<circle cx='%.1f' cy='%.1f' r='3' fill='%s'/>\n", p.atX(at.x), p.atY(at.y), colour)
	}
	fmt.Fprintf(b, "<path d='%s' fill='none' stroke='%s' stroke-width='2'/>\n", path.String(), colour)
	fmt.Fprintf(b, "<path d='M%d %dh16' stroke='%s' stroke-width='3'/><text x='%d' y='%d' %s>%s</text>\n",
		plotLeft+10, legendY, colour, plotLeft+32, legendY+4, plotFont, html.EscapeString(s.name))
}

// ticksX are the x of the first series: what was measured.
func (p plot) ticksX() []float64 {
	var ticks []float64
	if len(p.series) == 0 {
		return ticks
	}
	points := p.series[0].points
	step := max(1, (len(points)+9)/10)
	for i := 0; i < len(points); i += step {
		ticks = append(ticks, points[i].x)
	}
	return ticks
}

// bounds are the smallest and largest x, and a round number above the largest y.
func (p plot) bounds() (firstX, lastX, top float64) {
	firstX = math.Inf(1)
	for _, s := range p.series {
		for _, at := range s.points {
			firstX, lastX, top = min(firstX, at.x), max(lastX, at.x), max(top, at.y)
		}
	}
	return firstX, lastX, roundUp(top * 1.1)
}

func roundUp(x float64) float64 {
	if x <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(x)))
	return math.Ceil(x/unit*2) / 2 * unit
}

func (p plot) atX(x float64) float64 {
	first, last, _ := p.bounds()
	if p.logX { // 0 is where 1 would be
		x, first, last = math.Log10(max(1, x)), math.Log10(max(1, first)), math.Log10(max(1, last))
	}
	if last == first {
		return plotLeft
	}
	return plotLeft + (x-first)/(last-first)*(plotRight-plotLeft)
}

func (p plot) atY(y float64) float64 {
	_, _, top := p.bounds()
	return plotBottom - y/top*(plotBottom-plotTop)
}
