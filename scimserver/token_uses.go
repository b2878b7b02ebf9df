// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

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

// tokenUses records in the status of an organization when each of its tokens was last used. The time is the beginning of the hour, so a
// key costs one write an hour, and replicas that see the same key in the same hour write the same. Only tokens that are accepted are
// noted: a request without one writes nothing.
type tokenUses struct {
	client client.Client
	now    func() time.Time
	failed func(error)

	mu sync.Mutex
	// next is when a use of the key is to be noted again.
	next    map[tokenKey]time.Time
	pending chan tokenUse
}

// tokenKey names a token of an organization. The UID keeps a new organization of the same name apart.
type tokenKey struct {
	organization types.NamespacedName
	uid          types.UID
	key          string
}

type tokenUse struct {
	tokenKey
	hour time.Time
}

func newTokenUses(writer client.Client, now func() time.Time, failed func(error)) *tokenUses {
	return &tokenUses{
		client: writer, now: now, failed: failed,
		next: map[tokenKey]time.Time{}, pending: make(chan tokenUse, pendingTokenUses),
	}
}

// note never waits: a use that cannot be noted now is noted with a later one.
func (u *tokenUses) note(g *grant, now time.Time) {
	hour := now.UTC().Truncate(time.Hour)
	if recorded := g.organization.Status.SCIMTokenLastUse[g.token.Key]; !recorded.Time.Before(hour) {
		return // by this replica or by another
	}
	key := tokenKey{g.organizationKey(), g.organization.UID, g.token.Key}
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.Before(u.next[key]) {
		return
	}
	select {
	case u.pending <- tokenUse{key, hour}:
		u.next[key] = now.Add(tokenUseRetry)
	default:
	}
}

// run writes what is noted, until ctx is done.
func (u *tokenUses) run(ctx context.Context) {
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

func (u *tokenUses) write(ctx context.Context, use tokenUse) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
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
func (u *tokenUses) written(use tokenUse) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.now()
	maps.DeleteFunc(u.next, func(_ tokenKey, next time.Time) bool { return now.After(next) })
	u.next[use.tokenKey] = use.hour.Add(time.Hour)
}
