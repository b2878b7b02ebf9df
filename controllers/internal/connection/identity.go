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

// identity is what is known of whether the client still calls the organization that it called. A new client begins anew.
type identity struct {
	// confirmed says that the organization was recognised by its accounts since the client is in use.
	confirmed bool
	// unproven says that the client replaced another one while accounts were known, and that the organization was not recognised since:
	// nothing is created.
	unproven bool
	// mismatch is what the last sweep found, and approved the token of an approval that the next sweep is to use.
	mismatch Mismatch
	approved string
}

func (i *identity) recognise() { i.confirmed, i.unproven = true, false }

// Mismatch says that an organization is not the one that it was: too many known accounts are gone at once. While it lasts, nothing is
// written. It ends when they are back, as after the right token, or with an approval.
type Mismatch struct {
	gone, known int
	// Token names exactly the accounts that are gone; an approval repeats it.
	Token string
}

// checkIdentity compares what is gone with what was known. Its error discards the sweep.
func (c *Connection) checkIdentity(missing map[string]lambdatest.User, known int) error {
	gone, token := len(missing), tokenOf(missing)
	c.mu.Lock()
	defer c.mu.Unlock()
	if gone*mismatchShare <= known || gone < mismatchMinimum && c.identity.confirmed {
		c.identity.mismatch = Mismatch{}
		return nil
	}
	if c.identity.approved == token {
		c.identity.mismatch, c.identity.approved = Mismatch{}, ""
		return nil
	}
	c.identity.mismatch = Mismatch{gone: gone, known: known, Token: token}
	return fmt.Errorf("%d of %d known accounts are gone", gone, known)
}

// ApproveMismatch lets the next sweep through if it misses exactly the accounts that the token names. It says whether there is such a
// mismatch.
func (c *Connection) ApproveMismatch(token string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.identity.mismatch.Token == "" || c.identity.mismatch.Token != token {
		return false
	}
	c.identity.approved, c.identity.mismatch = token, Mismatch{}
	return true
}

// Mismatch returns the mismatch, and whether there is one.
func (c *Connection) Mismatch() (Mismatch, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identity.mismatch, c.identity.mismatch.Token != ""
}

// isMismatch tells whether a token approves the mismatch.
func (c *Connection) isMismatch(token string) bool {
	mismatch, there := c.Mismatch()
	return there && mismatch.Token == token
}

func (c *Connection) isConfirmed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identity.confirmed
}

// confirmIdentity recognises the organization, after a change of token or address, by one of its known accounts. Creations then need not
// wait for the whole sweep.
func (c *Connection) confirmIdentity(ctx context.Context) {
	if c.isConfirmed() {
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
	c.identity.recognise()
	swept := c.lastSweep.Complete
	c.mu.Unlock()
	if swept {
		c.Accounts.Attempted()
		c.wakeIdle()
	}
}

// Outcome is that of the organization, and of its people, while there is a mismatch.
func (m Mismatch) Outcome(organization string) status.Outcome {
	return status.Stalledf(v1alpha1.OrganizationChangedReason, "%d of %d known accounts are gone at once, as after the token of another LambdaTest organization, so nothing is written. "+
		"Put the right token into the Secret; or, if they are gone indeed, annotate %s %s with %s: %s.",
		m.gone, m.known, v1alpha1.OrganizationKind, organization, v1alpha1.ApproveDeprovisionAnnotation, m.Token)
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
