// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/test/schedule"
)

type (
	kind  = schedule.Kind
	event = schedule.Event
)

const (
	killReplica      kind = "kill replica"
	pauseReplica     kind = "pause replica"
	rollingRestart   kind = "rolling restart"
	restartAPIServer kind = "restart kube-apiserver"
	restartEtcd      kind = "restart etcd"
	pauseEtcd        kind = "pause etcd"

	slowLink   kind = "slow link"
	cutLink    kind = "cut link"
	freezeLink kind = "half-open link"

	upstreamBusy     kind = "LambdaTest answers 429"
	upstreamFails    kind = "LambdaTest answers 5xx"
	upstreamGarbles  kind = "LambdaTest answers garbage"
	upstreamLoses    kind = "LambdaTest's answers are lost"
	upstreamDrops    kind = "LambdaTest drops connections"
	upstreamSlow     kind = "LambdaTest is slow"
	upstreamTruncate kind = "LambdaTest's lists end early"
	upstreamShuffle  kind = "LambdaTest's lists are shuffled"

	rotateSCIMToken     kind = "rotate SCIM token"
	rotateUpstreamToken kind = "rotate LambdaTest's token"

	hiringWave kind = "hiring wave"
	prune      kind = "prune"
)

// The paces: 20 kills and five restarts of the control plane in ten minutes, and always something else. A pause outlasts the lease.
func lanes() []schedule.Lane {
	seconds := schedule.Seconds
	return []schedule.Lane{
		{
			Deck:  []kind{killReplica, killReplica, killReplica, pauseReplica, killReplica, killReplica, killReplica, rollingRestart},
			First: 5 * time.Second, Interval: 18 * time.Second, Lasts: seconds(17, 22), Targets: replicas,
		},
		{
			Deck:  []kind{restartAPIServer, restartEtcd, pauseEtcd, restartAPIServer, restartEtcd},
			First: 20 * time.Second, Interval: 60 * time.Second, Lasts: seconds(2, 5),
		},
		{
			Deck:  []kind{slowLink, cutLink, freezeLink},
			First: 3 * time.Second, Interval: 12 * time.Second, Lasts: seconds(1, 8), Targets: 1 << 16,
		},
		{
			Deck: []kind{
				upstreamBusy, upstreamFails, upstreamGarbles, upstreamLoses, upstreamDrops, upstreamSlow, upstreamTruncate, upstreamShuffle,
				upstreamLoses, upstreamFails,
			},
			First: 8 * time.Second, Interval: 11 * time.Second, Lasts: seconds(2, 7), Targets: 1 << 16,
		},
		{
			Deck:  []kind{rotateSCIMToken, rotateUpstreamToken},
			First: 15 * time.Second, Interval: 35 * time.Second, Lasts: seconds(0.5, 3), Targets: 1 << 16,
		},
		{
			Deck:  []kind{hiringWave},
			First: 25 * time.Second, Interval: 70 * time.Second, Targets: 1 << 16,
		},
	}
}

// newSchedule makes a schedule. The same seed and duration give the same schedule.
func newSchedule(seed uint64, duration time.Duration) []event {
	return schedule.New(seed, duration, lanes(), event{At: duration / 2, Kind: prune})
}
