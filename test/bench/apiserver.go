// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

var (
	requestTotal = regexp.MustCompile(`(?m)^apiserver_request_total\{([^}]*)\} (\S+)$`)
	label        = regexp.MustCompile(`(\w+)="([^"]*)"`)
	writingVerbs = []string{"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"}
)

// apiWrites counts the writes of all clients to the API server, by verb and resource, except to leases.
func (r *run) apiWrites(ctx context.Context) (map[string]int, error) {
	page, err := r.env.Kubectl(ctx, "get", "--raw", "/metrics")
	if err != nil {
		return nil, err
	}
	writes := map[string]int{}
	for _, line := range requestTotal.FindAllStringSubmatch(page, -1) {
		labels := map[string]string{}
		for _, pair := range label.FindAllStringSubmatch(line[1], -1) {
			labels[pair[1]] = pair[2]
		}
		if !slices.Contains(writingVerbs, labels["verb"]) || labels["resource"] == "leases" {
			continue
		}
		count, err := strconv.ParseFloat(line[2], 64)
		if err != nil {
			return nil, fmt.Errorf("reading the metrics of the API server: %w", err)
		}
		writes[labels["verb"]+" "+labels["resource"]+"/"+labels["subresource"]] += int(count)
	}
	return writes, nil
}

// since is the increase of counters.
func since(before, after map[string]int) map[string]int {
	added := map[string]int{}
	for name, count := range after {
		if count != before[name] {
			added[name] = count - before[name]
		}
	}
	return added
}
