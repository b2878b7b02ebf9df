// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

const (
	// candidates is how many combinations are made for each one that is chosen. More make the array a little smaller.
	candidates = 60
	// arbitrary settings, one of so many, are chosen without regard to missing pairs. Otherwise a missing pair that is in a shadow of the most
	// useful settings would never be reached.
	arbitrary = 8
	// fruitless is how often no candidate may have a missing pair before the array is given up.
	fruitless = 100
)

// choice is a setting of a switch, by their numbers.
type choice struct{ factor, setting int }

// pair is two choices; the first is of the switch with the lower number.
type pair struct{ first, second choice }

// shadow says that no story meets a switch while other switches have these settings.
type shadow struct {
	factor int
	under  []choice
}

// space is what a covering array is made of.
type space struct {
	// sizes are the numbers of settings of the switches.
	sizes   []int
	shadows []shadow
}

// pairs returns all pairs of settings of two switches.
func (s space) pairs() []pair {
	var all []pair
	for a := range s.sizes {
		for b := a + 1; b < len(s.sizes); b++ {
			for x := range s.sizes[a] {
				for y := range s.sizes[b] {
					all = append(all, pair{choice{a, x}, choice{b, y}})
				}
			}
		}
	}
	return all
}

// has says whether a combination has a pair, and none of the two switches is in a shadow. A shadow that follows from the pair itself does
// not count, because every combination with the pair has it.
func (s space) has(row []int, p pair) bool {
	if row[p.first.factor] != p.first.setting || row[p.second.factor] != p.second.setting {
		return false
	}
	return !slices.ContainsFunc(s.shadows, func(dark shadow) bool {
		if dark.factor != p.first.factor && dark.factor != p.second.factor {
			return false
		}
		outside := func(c choice) bool { return c != p.first && c != p.second }
		chosen := !slices.ContainsFunc(dark.under, func(c choice) bool { return row[c.factor] != c.setting })
		return chosen && slices.ContainsFunc(dark.under, outside)
	})
}

// cover returns combinations that together have all pairs. The same seed returns the same ones.
func (s space) cover(seed uint64) [][]int {
	random := rand.New(rand.NewPCG(seed, seed))
	left := s.pairs()
	var rows [][]int
	for tries := 0; len(left) > 0; tries++ {
		if tries > fruitless {
			panic(fmt.Sprintf("no combination has the settings %v", left[0]))
		}
		row, gain := s.best(left, random)
		if gain == 0 {
			continue
		}
		tries, rows = 0, append(rows, row)
		left = slices.DeleteFunc(left, func(p pair) bool { return s.has(row, p) })
	}
	return rows
}

// best returns the candidate with most of the missing pairs.
func (s space) best(left []pair, random *rand.Rand) (best []int, gain int) {
	for range candidates {
		row := s.candidate(left, random)
		count := 0
		for _, p := range left {
			if s.has(row, p) {
				count++
			}
		}
		if best == nil || count > gain {
			best, gain = row, count
		}
	}
	return best, gain
}

// candidate begins with a missing pair. Then it gives each switch the setting with most of the missing pairs, in a random order.
func (s space) candidate(left []pair, random *rand.Rand) []int {
	row := slices.Repeat([]int{-1}, len(s.sizes))
	begin := left[random.IntN(len(left))]
	row[begin.first.factor], row[begin.second.factor] = begin.first.setting, begin.second.setting
	for _, factor := range random.Perm(len(s.sizes)) {
		if row[factor] < 0 {
			row[factor] = s.mostMissing(row, factor, left, random)
		}
	}
	return row
}

func (s space) mostMissing(row []int, factor int, left []pair, random *rand.Rand) int {
	if random.IntN(arbitrary) == 0 {
		return random.IntN(s.sizes[factor])
	}
	counts := make([]int, s.sizes[factor])
	for _, p := range left {
		switch {
		case p.first.factor == factor && row[p.second.factor] == p.second.setting:
			counts[p.first.setting]++
		case p.second.factor == factor && row[p.first.factor] == p.first.setting:
			counts[p.second.setting]++
		}
	}
	most := slices.Max(counts)
	var equal []int
	for setting, count := range counts {
		if count == most {
			equal = append(equal, setting)
		}
	}
	return equal[random.IntN(len(equal))]
}

// darkness is which switches the story cannot meet, and under which settings of others.
var darkness = []struct {
	reading string
	under   simulator.Settings
}{
	// A list that shows everybody shows as many as match.
	{"total-results", simulator.Settings{"list-of-users": "all-at-once"}},
	// Every POST of a known e-mail is refused.
	{"post-without-role", simulator.Settings{"post-of-known-email": "409", "post-of-inactive": "400"}},
}

// readingSpace is the space of the simulator's readings.
func readingSpace() space {
	var s space
	for _, reading := range simulator.Readings() {
		s.sizes = append(s.sizes, len(reading.Settings))
	}
	for _, dark := range darkness {
		made := shadow{factor: factorOf(dark.reading)}
		for reading, setting := range dark.under {
			made.under = append(made.under, choiceOf(reading, setting))
		}
		s.shadows = append(s.shadows, made)
	}
	return s
}

func factorOf(reading string) int {
	return slices.IndexFunc(simulator.Readings(), func(r simulator.Reading) bool { return r.Name == reading })
}

// choiceOf panics on a name that the simulator does not have.
func choiceOf(reading, setting string) choice {
	factor := factorOf(reading)
	settings := simulator.Readings()[factor].Settings
	number := slices.IndexFunc(settings, func(s simulator.Setting) bool { return s.Name == setting })
	if number < 0 {
		panic("the reading " + reading + " has no setting " + setting)
	}
	return choice{factor, number}
}

// settingsOf are a combination by names.
func settingsOf(row []int) simulator.Settings {
	settings := simulator.Settings{}
	for factor, reading := range simulator.Readings() {
		settings[reading.Name] = reading.Settings[row[factor]].Name
	}
	return settings
}
