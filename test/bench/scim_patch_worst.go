// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
)

// strangers are added and removed again in one request: as many as the limit of elements allows.
const strangers = 120_000

// scimPatchWorst measures the replica's CPU time for a request that does as much as it can and changes nothing.
func scimPatchWorst(ctx context.Context, r *run) error {
	rounds := r.rounds(5)
	d, err := r.suspendedDesk(ctx, groupMembers)
	if err != nil {
		return err
	}
	id, err := d.createGroup(ctx, "Everybody who stays")
	if err != nil {
		return err
	}
	ids := make([]string, strangers)
	for i := range ids {
		ids[i] = fmt.Sprintf("stranger-%d", i)
	}
	var operations []object
	for range 10 * largestGroup / groupMembers { // as many comparisons with members as one request may have
		operations = append(operations, object{"op": "remove", "path": `members[display eq "nobody"]`})
	}
	operations = append(operations, object{"op": "add", "path": "members", "value": ids}, object{"op": "remove", "path": "members", "value": ids})
	seconds := make([]float64, rounds)
	for i := range rounds {
		before, err := cpuTime(d.pid)
		if err != nil {
			return err
		}
		if _, err := d.provider.send(ctx, http.MethodPatch, "/Groups/"+id, patch(operations...), http.StatusNoContent); err != nil {
			return err
		}
		after, err := cpuTime(d.pid)
		if err != nil {
			return err
		}
		seconds[i] = (after - before).Seconds()
	}
	return r.record("scim-patch-worst", seconds)
}
