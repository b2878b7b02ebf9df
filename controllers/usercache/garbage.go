// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Nearly all memory of a replica is the cache. Go's default (garbage of 100 % of what is in use) would double it among 100 000 people, and
// would collect all the time among a hundred. So garbage is bounded in bytes, and on both sides in percent of what is in use.
const (
	garbageBytes         = 40 << 20
	minGarbagePercent    = 20
	maxGarbagePercent    = 400
	garbageCheckInterval = 5 * time.Second
)

// GarbageLimit bounds the garbage that the process keeps, once the manager has filled the caches and starts it. Before, collecting seldom
// makes the start faster. GOGC in the environment takes precedence.
type GarbageLimit struct{}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica has the caches.
func (GarbageLimit) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable.
func (GarbageLimit) Start(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.FreeOSMemory()
	ticker := time.NewTicker(garbageCheckInterval)
	defer ticker.Stop()
	inUse, set := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}, 0
	for {
		metrics.Read(inUse)
		if percent := garbagePercent(inUse[0].Value.Uint64()); percent != set {
			debug.SetGCPercent(percent)
			set = percent
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// garbagePercent is how much garbage to keep, in percent of the bytes in use.
func garbagePercent(inUse uint64) int {
	return int(min(max(garbageBytes*100/max(inUse, 1), minGarbagePercent), maxGarbagePercent))
}
