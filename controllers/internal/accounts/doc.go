// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package accounts is what is known of the accounts of an organization, and since when: from the last complete sweep, from every call
// since, and after a restart from status. It makes no call. It imports api, lambdatest and status.
package accounts
