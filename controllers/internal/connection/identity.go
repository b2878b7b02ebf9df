// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/internal/status"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// Mismatch is that an organization is not the one it was: too many known accounts are gone at once. While it lasts, nothing is
// written. It ends when they are back, as after the right token, or when somebody approves.
type Mismatch struct {
	gone, known int
	// Token names exactly the accounts that are gone; an approval repeats it.
	Token string
}

// checkIdentity compares what is gone with what was known. Its error discards the sweep.
func (c *Connection) checkIdentity(missing map[string]lambdatest.User, known int) error {
	gone := len(missing)
	c.mu.Lock()
	defer c.mu.Unlock()
	if gone*mismatchShare <= known || gone < mismatchMinimum && c.confirmed {
		c.mismatch = Mismatch{}
		return nil
	}
	token := tokenOf(missing)
	if c.approved == token {
		c.mismatch, c.approved = Mismatch{}, ""
		return nil
	}
	c.mismatch = Mismatch{gone: gone, known: known, Token: token}
	return fmt.Errorf("%d of %d known accounts are gone", gone, known)
}

// ApproveMismatch lets the sweep through whose missing accounts the token names. It says whether the token does.
func (c *Connection) ApproveMismatch(token string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mismatch.Token == "" || c.mismatch.Token != token {
		return false
	}
	c.approved, c.mismatch = token, Mismatch{}
	return true
}

// Mismatch returns the mismatch, and whether there is one.
func (c *Connection) Mismatch() (Mismatch, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mismatch, c.mismatch.Token != ""
}

// isMismatch tells whether a token approves the mismatch.
func (c *Connection) isMismatch(token string) bool {
	suspicion, there := c.Mismatch()
	return there && suspicion.Token == token
}

// confirmIdentity tells, after a change of token or address, whether the organization still is the one that it was, by one of its accounts.
// Creations then need not wait for the whole sweep.
func (c *Connection) confirmIdentity(ctx context.Context) {
	c.mu.Lock()
	known := c.confirmed
	c.mu.Unlock()
	if known {
		return
	}
	for _, account := range c.Accounts.Some(mismatchMinimum) {
		if there, err := c.exists(ctx, account.ID); err == nil && there {
			c.identityConfirmed()
			return
		}
	}
}

func (c *Connection) identityConfirmed() {
	c.mu.Lock()
	c.confirmed = true
	compared := c.lastSweep.Complete
	c.mu.Unlock()
	if compared {
		c.Accounts.Attempted()
		c.wakeIdle()
	}
}

// Outcome tells people about the mismatch.
func (s Mismatch) Outcome(organization string) status.Outcome {
	return status.Stalledf(v1alpha1.OrganizationChangedReason, "%d of %d known accounts are gone at once, as after the token of another LambdaTest organization, so nothing is written. "+
		"Put the right token into the Secret; or, if they are gone indeed, annotate %s %s with %s: %s.",
		s.gone, s.known, v1alpha1.OrganizationKind, organization, v1alpha1.ApproveDeprovisionAnnotation, s.Token)
}

// tokenOf names a set of accounts.
func tokenOf(missing map[string]lambdatest.User) string {
	ids := make([]string, 0, len(missing))
	for _, account := range missing {
		ids = append(ids, account.ID)
	}
	slices.Sort(ids)
	hash := sha256.New()
	for _, id := range ids {
		fmt.Fprintln(hash, id)
	}
	return hex.EncodeToString(hash.Sum(nil))[:12]
}
