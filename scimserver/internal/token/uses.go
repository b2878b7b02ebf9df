// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Uses records in the status of an organization when each of its tokens was last used. The time is the beginning of the hour, so a
// key costs one write an hour, and replicas that see the same key in the same hour write the same. Only tokens that are accepted are
// noted: a request without one writes nothing.
type Uses struct {
	client client.Client
	now    func() time.Time
	failed func(error)

	mu sync.Mutex
	// next is when a use of the key is to be noted again.
	next    map[useKey]time.Time
	pending chan use
}

// useKey names a token of an organization. The UID keeps a new organization of the same name apart.
type useKey struct {
	organization types.NamespacedName
	uid          types.UID
	key          string
}

type use struct {
	useKey
	hour time.Time
}

// NewUses returns a record that calls failed with each use that cannot be written.
func NewUses(writer client.Client, now func() time.Time, failed func(error)) *Uses {
	return &Uses{
		client: writer, now: now, failed: failed,
		next: map[useKey]time.Time{}, pending: make(chan use, pendingUses),
	}
}

// Note never waits: a use that cannot be noted now is noted with a later one.
func (u *Uses) Note(g *Grant, now time.Time) {
	hour := now.UTC().Truncate(time.Hour)
	if recorded := g.Organization.Status.SCIMTokenLastUse[g.Token.Key]; !recorded.Time.Before(hour) {
		return // by this replica or by another
	}
	key := useKey{g.OrganizationKey(), g.Organization.UID, g.Token.Key}
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.Before(u.next[key]) {
		return
	}
	select {
	case u.pending <- use{key, hour}:
		u.next[key] = now.Add(useRetry)
	default:
	}
}

// Run writes what is noted, until ctx is done.
func (u *Uses) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case use := <-u.pending:
			if err := u.write(ctx, use); err != nil {
				u.failed(fmt.Errorf("recording the use of a SCIM token of %s: %w", use.organization, err))
				continue
			}
			u.written(use)
		}
	}
}

func (u *Uses) write(ctx context.Context, use use) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": use.uid},
		"status":   map[string]any{"scimTokenLastUse": map[string]string{use.key: use.hour.Format(time.RFC3339)}},
	})
	if err != nil {
		return err
	}
	organization := &v1alpha1.LambdaTestOrganization{}
	organization.Namespace, organization.Name = use.organization.Namespace, use.organization.Name
	return u.client.Status().Patch(ctx, organization, client.RawPatch(types.MergePatchType, patch))
}

// written remembers the hour, and forgets the keys of hours that are over.
func (u *Uses) written(use use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.now()
	maps.DeleteFunc(u.next, func(_ useKey, next time.Time) bool { return now.After(next) })
	u.next[use.useKey] = use.hour.Add(time.Hour)
}
