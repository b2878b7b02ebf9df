// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import "time"

const (
	// DefaultTimeout bounds a call, including the reading of the answer, unless the
	// context or the caller's http.Client sets a shorter limit. It is well below the
	// 15 s of a lease, so that a call ends before another replica can lead.
	DefaultTimeout = 8 * time.Second

	// MaxRetryAfter is the longest Retry-After that is honoured. A longer one is
	// shortened: a wrong header must not stop an organization's calls.
	MaxRetryAfter = time.Hour

	// maxAnswerBytes bounds an answer. A group of 10 000 members is about 1 MiB.
	maxAnswerBytes = 16 << 20

	// maxUserBytes bounds an answer about one account, which is a few KiB.
	maxUserBytes = 256 << 10

	// maxAnswerElements bounds the values of an answer, so that short ones do
	// not become many times as much in memory. A member of a group has three.
	maxAnswerElements = maxAnswerBytes / 32

	// maxAnswerDepth bounds how deep values are nested. LambdaTest's are four deep.
	maxAnswerDepth = 32

	// smallAnswerBytes is how long an answer is read without waiting for others.
	// A page of 100 accounts is about 150 KiB.
	smallAnswerBytes = 1 << 20

	// maxLargeAnswers is how many longer ones the process reads at once from one
	// host.
	maxLargeAnswers = 2

	// maxListItems bounds how many accounts or groups a list says it has: a
	// caller reads it page by page, and keeps what it read.
	maxListItems = 250_000
	// maxRefusalBytes is how much of an answer is read that is no success.
	maxRefusalBytes = 64 << 10

	// maxHeaderBytes bounds the headers of an answer.
	maxHeaderBytes = 64 << 10

	// maxDetailRunes bounds the text of an answer that an error repeats, because
	// errors are shown in conditions.
	maxDetailRunes = 300

	// maxUserNameBytes is the greatest length of an e-mail address (RFC 5321).
	maxUserNameBytes = 254
)
