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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Uses records in the status of an organization when each of its tokens was last used, and when requests with them reached a limit or had
// attributes that were ignored. The time is the beginning of the hour, so each name costs one write an hour, and replicas that see the same in the
// same hour write the same. Only tokens that are accepted are noted: a request without one writes nothing.
type Uses struct {
	client client.Client
	now    func() time.Time
	failed func(error)

	mu sync.Mutex
	// next is when a use of the key is to be noted again.
	next    map[useKey]time.Time
	pending chan use
}

// The fields of status.scim that have times by name.
const (
	LimitsReached     = "limitsReached"
	IgnoredAttributes = "ignoredAttributes"
)

// useKey names a token of an organization or, with a field of status.scim, something else. The UID keeps a new organization of the same name apart.
type useKey struct {
	organization types.NamespacedName
	uid          types.UID
	field, key   string
}

type use struct {
	useKey
	hour time.Time
	// stale are the names to remove.
	stale []string
}

// NewUses returns a record that calls failed with each use that cannot be written.
func NewUses(writer client.Client, now func() time.Time, failed func(error)) *Uses {
	return &Uses{
		client: writer, now: now, failed: failed,
		next: map[useKey]time.Time{}, pending: make(chan use, pendingUses),
	}
}

// Note never waits: a use that cannot be noted now is noted with a later one. It tells whether the use is the first one of the token.
func (u *Uses) Note(g *Grant, now time.Time) (isFirst bool) {
	_, known := g.Organization.Status.SCIMTokenLastUse[g.Token.Key]
	return u.note(g, "", g.Token.Key, g.Organization.Status.SCIMTokenLastUse, now) && !known
}

// NoteIn notes a name in a field of status.scim, and tells whether it is new in this hour. Beyond maxNames of a day nothing is.
func (u *Uses) NoteIn(g *Grant, field, name string, now time.Time) (isNew bool) {
	var recorded map[string]metav1.Time
	if scim := g.Organization.Status.SCIM; scim != nil && field == LimitsReached {
		recorded = scim.LimitsReached
	} else if scim != nil {
		recorded = scim.IgnoredAttributes
	}
	return u.note(g, field, name, recorded, now)
}

func (u *Uses) note(g *Grant, field, name string, recorded map[string]metav1.Time, now time.Time) bool {
	hour := now.UTC().Truncate(time.Hour)
	last, known := recorded[name]
	if !last.Time.Before(hour) {
		return false // by this replica or by another
	}
	var stale []string
	for other, at := range recorded {
		if field != "" && other != name && now.Sub(at.Time) > nameKept {
			stale = append(stale, other)
		}
	}
	if field != "" && !known && len(recorded)-len(stale) >= maxNames {
		return false
	}
	key := useKey{g.OrganizationKey(), g.Organization.UID, field, name}
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.Before(u.next[key]) {
		return false
	}
	select {
	case u.pending <- use{key, hour, stale}:
		u.next[key] = now.Add(useRetry)
		return true
	default:
		return false
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
	times := map[string]any{use.key: use.hour.Format(time.RFC3339)}
	for _, name := range use.stale {
		times[name] = nil
	}
	status := map[string]any{"scimTokenLastUse": times}
	if use.field != "" {
		status = map[string]any{"scim": map[string]any{use.field: times}}
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": use.uid}, "status": status})
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
