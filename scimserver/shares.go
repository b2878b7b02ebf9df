// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// shares bounds something that all organizations share. An organization may have at most so much of it for each, and at most as much as it leaves
// free. So when several organizations have as much as they can, some is left for the next one.
type shares struct {
	all, each int64

	mu    sync.Mutex
	taken int64
	by    map[types.NamespacedName]int64
	// freed is closed, and replaced, whenever something becomes free.
	freed chan struct{}
}

func newShares(all, each int64) *shares {
	return &shares{all: all, each: each, by: map[types.NamespacedName]int64{}, freed: make(chan struct{})}
}

// take takes so much, unless it is too much. It returns what to wait for then.
func (s *shares) take(organization types.NamespacedName, size int64) (taken bool, freed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[organization]+size > min(s.each, s.all-s.taken-size) {
		return false, s.freed
	}
	s.by[organization] += size
	s.taken += size
	return true, nil
}

func (s *shares) give(organization types.NamespacedName, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken -= size
	if s.by[organization] -= size; s.by[organization] == 0 {
		delete(s.by, organization)
	}
	close(s.freed)
	s.freed = make(chan struct{})
}

// await takes so much as soon as there is enough, and tells whether there was before ctx was done.
func (s *shares) await(ctx context.Context, organization types.NamespacedName, size int64) bool {
	for {
		taken, freed := s.take(organization, size)
		if taken {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-freed:
		}
	}
}
