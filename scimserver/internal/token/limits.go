// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package token

import "time"

const (
	// callTimeout bounds a call to the API server about a token.
	callTimeout = 10 * time.Second
	// secretRetry is the pause before a Secret that could not be read is read again.
	secretRetry = 2 * time.Second
	// useRetry is how long after a failed write the use of a token is recorded again.
	useRetry = time.Minute
	// maxNames is how many names a field of status.scim gets within nameKept; two replicas may write twice as many at once, which the CRD admits.
	maxNames = 16
	nameKept = 24 * time.Hour
	// pendingUses are the tokens whose use may wait to be recorded. More are recorded with their next request.
	pendingUses = 256
	// expiryNotice is how long before a token's expiry an event says so.
	expiryNotice = 14 * 24 * time.Hour
)
