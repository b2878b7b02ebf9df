// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import "time"

const (
	// DefaultTimeout bounds a call, reading of the answer included, unless the
	// context or an own http.Client is stricter. Seconds, so that a call ends
	// before a lease of 15 s changes hands.
	DefaultTimeout = 8 * time.Second

	// MaxRetryAfter bounds how long LambdaTest can ask for patience. Longer is
	// taken for this long: a wrong header must not silence an organization.
	MaxRetryAfter = time.Hour

	// maxAnswerBytes bounds an answer. A group of 10 000 members is about 1 MiB.
	maxAnswerBytes = 16 << 20

	// maxHeaderBytes bounds the headers of an answer.
	maxHeaderBytes = 64 << 10

	// maxDetailRunes bounds what is repeated from an answer in an error, which
	// ends up in a condition that people read.
	maxDetailRunes = 300

	// maxUserNameBytes is the length of an e-mail address at most (RFC 5321).
	maxUserNameBytes = 254
)
