// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestWhoWasPausedUntilAnotherTookOverDoesNotLead(t *testing.T) {
	says := func(pid int, leads bool) answer { return answer{pid: pid, heard: true, leads: leads} }
	paused, dead := answer{pid: 1}, answer{}
	b := &ballot{saidBy: make([]int, 3)}
	for step, look := range []struct {
		what    string
		answers []answer
		want    int
	}{
		{"nobody yet", []answer{says(1, false), says(2, false), says(3, false)}, -1},
		{"the first leads", []answer{says(1, true), says(2, false), says(3, false)}, 0},
		{"it is paused", []answer{paused, says(2, false), says(3, false)}, -1},
		{"and goes on in time", []answer{says(1, true), says(2, false), says(3, false)}, 0},
		{"it is paused again", []answer{paused, says(2, false), says(3, false)}, -1},
		{"the second takes over", []answer{paused, says(2, true), says(3, false)}, 1},
		{"the first goes on and believes that it leads", []answer{says(1, true), says(2, true), says(3, false)}, 1},
		{"the second is killed", []answer{says(1, true), dead, says(3, false)}, -1},
		{"the first has noticed", []answer{says(1, false), says(4, false), says(3, false)}, -1},
		{"the first is elected", []answer{says(1, true), says(4, false), says(3, false)}, 0},
		{"it is killed, and elected again", []answer{says(5, true), says(4, false), says(3, false)}, 0},
	} {
		if got := b.count(look.answers); got != look.want {
			t.Errorf("step %d, %s: %d leads, want %d", step, look.what, got, look.want)
		}
	}
}
