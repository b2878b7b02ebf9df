// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// suspicion is that an organization is not the one it was: too many known accounts are gone at once. While it lasts, nothing is
// written. It ends when they are back, as after the right token, or when somebody approves.
type suspicion struct {
	gone, known int
	// token names exactly the accounts that are gone; an approval repeats it.
	token string
}

// suspect compares what is gone with what was known. Its error discards the comparison.
func (c *connection) suspect(missing map[string]lambdatest.User, known int) error {
	gone := len(missing)
	c.mu.Lock()
	defer c.mu.Unlock()
	if gone*suspiciousShare <= known || gone < suspiciousMinimum && c.recognised {
		c.suspicion = suspicion{}
		return nil
	}
	token := tokenOf(missing)
	if c.approved == token {
		c.suspicion, c.approved = suspicion{}, ""
		return nil
	}
	c.suspicion = suspicion{gone: gone, known: known, token: token}
	return fmt.Errorf("%d of %d known accounts are gone", gone, known)
}

// approve lets the comparison through whose missing accounts the token names. It says whether the token does.
func (c *connection) approve(token string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.suspicion.token == "" || c.suspicion.token != token {
		return false
	}
	c.approved, c.suspicion = token, suspicion{}
	return true
}

// suspected returns the suspicion, and whether there is one.
func (c *connection) suspected() (suspicion, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.suspicion, c.suspicion.token != ""
}

// isSuspicion tells whether a token approves the suspicion.
func (c *connection) isSuspicion(token string) bool {
	suspicion, there := c.suspected()
	return there && suspicion.token == token
}

// recognise tells, after a change of token or address, whether the organization still is the one that it was, by one of its accounts.
// Creations then need not wait for the whole comparison.
func (c *connection) recognise(ctx context.Context) {
	c.mu.Lock()
	known := c.recognised
	c.mu.Unlock()
	if known {
		return
	}
	for _, account := range c.accounts.some(suspiciousMinimum) {
		if there, err := c.exists(ctx, account.ID); err == nil && there {
			c.recognisedNow()
			return
		}
	}
}

func (c *connection) recognisedNow() {
	c.mu.Lock()
	c.recognised = true
	compared := c.comparison.complete
	c.mu.Unlock()
	if compared {
		c.accounts.attempted()
		c.wakeIdle()
	}
}

// situation tells people about the suspicion.
func (s suspicion) situation(organization string) situation {
	return situation{
		readiness: stalled,
		reason:    v1alpha1.OrganizationChangedReason,
		message: fmt.Sprintf("%d of %d known accounts are gone at once, as after the token of another LambdaTest organization, so nothing is written. "+
			"Put the right token into the Secret; or, if they are gone indeed, annotate %s %s with %s: %s.",
			s.gone, s.known, v1alpha1.OrganizationKind, organization, v1alpha1.ApproveDeprovisionAnnotation, s.token),
	}
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
