// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// missing are the pairs that no row has, found without the code under test.
func missing(sizes []int, rows [][]int) int {
	had := map[[4]int]bool{}
	for _, row := range rows {
		for a := range row {
			for b := a + 1; b < len(row); b++ {
				had[[4]int{a, row[a], b, row[b]}] = true
			}
		}
	}
	all := 0
	for a := range sizes {
		for b := a + 1; b < len(sizes); b++ {
			all += sizes[a] * sizes[b]
		}
	}
	return all - len(had)
}

func TestEveryPairOfSettingsIsInACombination(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for seed := range uint64(50) {
		sizes := make([]int, 2+random.IntN(12))
		for i := range sizes {
			sizes[i] = 1 + random.IntN(5)
		}
		rows := space{sizes: sizes}.cover(seed)
		if left := missing(sizes, rows); left != 0 {
			t.Errorf("%d pairs of %v are in no combination", left, sizes)
		}
		for _, row := range rows {
			for factor, setting := range row {
				if setting < 0 || setting >= sizes[factor] {
					t.Fatalf("a combination of %v has no such setting: %v", sizes, row)
				}
			}
		}
	}
}

func TestEveryPairOfReadingsIsInACombination(t *testing.T) {
	s := readingSpace()
	rows := s.cover(1)
	if left := missing(s.sizes, rows); left != 0 {
		t.Errorf("%d pairs are in no combination", left)
	}
	if most := 30; len(rows) > most {
		t.Errorf("%d combinations; more than %d take too long", len(rows), most)
	}
	t.Logf("%d combinations for %d pairs", len(rows), len(s.pairs()))
}

func TestTheSameSeedMakesTheSameCombinations(t *testing.T) {
	s := readingSpace()
	if !slices.EqualFunc(s.cover(3), s.cover(3), slices.Equal) {
		t.Error("two arrays of one seed differ")
	}
}

// A pair counts only where the story meets both switches.
func TestACombinationInAShadowDoesNotCount(t *testing.T) {
	s := space{sizes: []int{2, 2, 2}, shadows: []shadow{{factor: 0, under: []choice{{1, 1}, {2, 1}}}}}
	rows := s.cover(1)
	for _, p := range s.pairs() {
		met := slices.ContainsFunc(rows, func(row []int) bool {
			dark := row[1] == 1 && row[2] == 1 && p.first.factor == 0
			return row[p.first.factor] == p.first.setting && row[p.second.factor] == p.second.setting && !dark
		})
		if !met {
			t.Errorf("no story meets %v in %v", p, rows)
		}
	}
}

// Where the pair itself makes the shadow, no combination can do better.
func TestAPairThatIsItsOwnShadowIsInACombination(t *testing.T) {
	s := space{sizes: []int{2, 2}, shadows: []shadow{{factor: 0, under: []choice{{1, 1}}}}}
	if left := missing(s.sizes, s.cover(1)); left != 0 {
		t.Errorf("%d pairs are in no combination", left)
	}
}
