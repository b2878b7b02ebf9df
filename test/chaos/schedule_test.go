// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheScheduleFollowsFromTheSeed(t *testing.T) {
	if diff := cmp.Diff(newSchedule(1, time.Minute), newSchedule(1, time.Minute)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(newSchedule(1, time.Minute), newSchedule(2, time.Minute)) {
		t.Error("another seed gives the same schedule")
	}
}

func TestThreeRunsOfTenMinutesHaveFiftyKillsAndTenRestartsOfTheControlPlane(t *testing.T) {
	for seed := range uint64(50) {
		count := map[kind]int{}
		for _, e := range newSchedule(seed, 10*time.Minute) {
			count[e.Kind]++
		}
		if kills := count[killReplica]; kills < 17 {
			t.Errorf("seed %d: %d kills", seed, kills)
		}
		if restarts := count[restartAPIServer] + count[restartEtcd]; restarts < 4 {
			t.Errorf("seed %d: %d restarts of the control plane", seed, restarts)
		}
		for _, other := range []kind{pauseReplica, rollingRestart, cutLink, freezeLink, slowLink, rotateSCIMToken, rotateUpstreamToken, hiringWave, prune} {
			if count[other] == 0 {
				t.Errorf("seed %d: no %s", seed, other)
			}
		}
	}
}
