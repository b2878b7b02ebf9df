// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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
	// Token names exactly the accounts that are gone, or, where the list does not show all accounts, all that are known. An approval repeats it.
	Token string
}

// sample is what reading some of the missing accounts showed.
type sample struct {
	// missing are all known accounts that the list lacks, and known counts all that are known.
	missing map[string]lambdatest.User
	known   int
	// read counts those that were read by id: of them there exist, and gone do not; of these, moved belong to another organization.
	read, there, moved int
	gone               map[string]lambdatest.User
}

// of estimates how many of the missing accounts are as that many of the sample; it is exact when all were read.
func (s *sample) of(count int) int {
	if s.read == 0 {
		return 0
	}
	return (len(s.missing)*count + s.read - 1) / s.read
}

// isTooMany tells whether so many known accounts are gone at once that it may be another organization.
func (s *sample) isTooMany(gone int, confirmed bool) bool {
	return gone*mismatchShare > s.known && (gone >= mismatchMinimum || !confirmed)
}

// readSample reads missing accounts by id: all, or a few when there are too many, or when the list is incomplete anyway.
func (c *Connection) readSample(ctx context.Context, found *listing, read *sample, few bool) error {
	most := len(read.missing)
	if most > maxLookUpsPerSweep || few {
		most = mismatchSample
	}
	for user, account := range read.missing {
		if read.read >= most {
			break
		}
		found.calls++
		there, err := c.exists(ctx, account.ID)
		read.read++
		switch {
		case err != nil:
			return fmt.Errorf("looking for a missing account: %w", err)
		case there:
			read.there++
			most = min(most, mismatchSample)
		default:
			read.gone[user] = account
		}
	}
	return nil
}

// countMoved asks by userName for the accounts of the sample that are gone: of a person whom the mapping of a group moved to a
// sub-organization, LambdaTest says that they belong to another organization; of one without an account it says that there is none.
func (c *Connection) countMoved(ctx context.Context, found *listing, read *sample) error {
	for _, account := range read.gone {
		found.calls++
		there, err := ask(ctx, c, "FindUser", func(ctx context.Context, upstream Upstream) (bool, error) {
			_, there, err := upstream.FindUser(ctx, account.UserName)
			return there, err
		})
		switch {
		case isNotOurs(err):
			read.moved++
		case err != nil:
			return fmt.Errorf("looking for a missing account: %w", err)
		case there:
			return errors.New("LambdaTest finds an account by its userName, and not by its id")
		}
	}
	return nil
}

// checkIdentity compares what is gone with what was known. People who moved to another organization are not gone, as long as most of the known
// accounts are still here: with the token of another organization all are gone, and of a person of this one LambdaTest says the same as of
// one who moved. Its error discards the sweep.
func (c *Connection) checkIdentity(ctx context.Context, found *listing, read *sample, incomplete bool) error {
	gone, confirmed := read.of(len(read.gone)), c.isConfirmed()
	here := read.known - gone
	if read.isTooMany(gone, confirmed) && 2*here > read.known {
		if err := c.countMoved(ctx, found, read); err != nil {
			return err
		}
		gone = read.of(len(read.gone) - read.moved)
	}
	named := read.missing
	if incomplete || read.there > 0 {
		// Which accounts such a list lacks differs from sweep to sweep, and so the token would.
		named = c.Accounts.All()
	}
	token := tokenOf(named)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !read.isTooMany(gone, confirmed) {
		c.identity.mismatch = Mismatch{}
		return nil
	}
	if c.identity.approved == token {
		c.identity.mismatch, c.identity.approved = Mismatch{}, ""
		return nil
	}
	if c.identity.mismatch.Token != token { // of the same accounts a sample gives another estimate each time
		c.identity.mismatch = Mismatch{gone: gone, known: read.known, Token: token}
	}
	return fmt.Errorf("%d of %d known accounts are gone", gone, read.known)
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

// IsRecognised tells whether the organization was recognised by its accounts since the client is in use, and no sweep says otherwise since.
func (c *Connection) IsRecognised() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identity.confirmed && c.identity.mismatch.Token == ""
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
		"Put the right token into the Secret; or, if they are gone indeed, or have moved to another organization, annotate %s %s with %s: %s.",
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
