// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/parties"
	"github.com/lambdatest-operator/lambdatest-operator/test/promises"
)

const (
	// settleTime is the promised time until LambdaTest and resources agree after the last fault.
	settleTime = 60 * time.Second
	// settlePause is the precision of that measurement.
	settlePause = 500 * time.Millisecond
	// tellEvery is how often the program prints what it waits for.
	tellEvery = 10 * time.Second
)

func (r *run) snapshot(ctx context.Context) (*promises.Snapshot, error) {
	upstream := map[string]*simulator.Org{}
	for _, t := range r.tenants {
		upstream[t.Name] = t.LambdaTest
	}
	return promises.TakeSnapshot(ctx, r.env.Client, upstream)
}

// settle waits until everything agrees, and returns the differences that remain after a minute.
func (r *run) settle(ctx context.Context) (took time.Duration, found []promises.Violation) {
	for told := tellEvery; ; {
		found = []promises.Violation{{Check: "settled", Detail: "the API server did not answer"}}
		if s, err := r.snapshot(ctx); err == nil {
			found = s.Differences()
		}
		took = r.world.Now() - r.chaosEnded
		if len(found) == 0 || took > settleTime || ctx.Err() != nil {
			return took, found
		}
		if took > told {
			told += tellEvery
			r.progress("%d things do not agree, among them %s: %s", len(found), found[0].Whom, found[0].Detail)
		}
		parties.Pause(ctx, settlePause)
	}
}
