// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

// expectation checks an account; its error says what is different.
type expectation func(simulator.Account) error

func isActive(active bool) expectation {
	return func(account simulator.Account) error {
		if account.Active != active {
			return fmt.Errorf("active is %v, expected %v", account.Active, active)
		}
		return nil
	}
}

func is(active bool, role string) expectation {
	return func(account simulator.Account) error {
		if account.Role != role {
			return fmt.Errorf("the role is %s, expected %s", account.Role, role)
		}
		return isActive(active)(account)
	}
}

// account waits until LambdaTest has the account as expected.
func (s *story) account(ctx context.Context, userName string, expected expectation) error {
	return environment.Await(ctx, func(context.Context) error {
		account, found := s.lambdaTest.Account(userName)
		if !found {
			return fmt.Errorf("LambdaTest has no account of %s", userName)
		}
		if err := expected(account); err != nil {
			return fmt.Errorf("%s: %w", userName, err)
		}
		return nil
	})
}

// posts checks that each account was created by exactly one call.
func (s *story) posts(expected int) error {
	if posted := s.lambdaTest.Count("POST /Users"); posted != expected {
		return fmt.Errorf("POST /Users was called %d times for %d accounts", posted, expected)
	}
	return nil
}

// withoutCalls runs an action and waits for a sweep, and checks that nothing was written at LambdaTest.
func (s *story) withoutCalls(ctx context.Context, play func(context.Context) error) error {
	before := s.lambdaTest.Writes()
	if err := play(ctx); err != nil {
		return err
	}
	if err := s.sweeps(ctx, 1); err != nil {
		return err
	}
	if after := s.lambdaTest.Writes(); after != before {
		return fmt.Errorf("there were %d writes at LambdaTest, expected none", after-before)
	}
	return nil
}

// sweeps waits for that many further sweeps of the organization.
func (s *story) sweeps(ctx context.Context, count int) error {
	const listing = "GET /Users"
	// All accounts fit on one page, so a sweep is one list call. One sweep may have begun already.
	expected := s.lambdaTest.Count(listing) + count + 1
	return environment.Await(ctx, func(context.Context) error {
		if listed := s.lambdaTest.Count(listing); listed < expected {
			return fmt.Errorf("LambdaTest was listed %d times, expected %d", listed, expected)
		}
		return nil
	})
}

func (s *story) kubectl(ctx context.Context, args ...string) error {
	_, err := s.env.Kubectl(ctx, args...)
	return err
}
