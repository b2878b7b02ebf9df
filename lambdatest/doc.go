// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package lambdatest is a client of the LambdaTest SCIM API, which manages the
// users and groups of one LambdaTest organization. The token decides which.
//
// It makes the calls of the API. All errors have one type; these functions tell
// the kinds of error apart:
//
//	question            answer or event                                       next step
//	IsUnauthorized      401                                                   stop until the token changes
//	IsForbidden         403: group provisioning is off                        a person must act
//	IsNotFound          404                                                   read again, create, or forget
//	IsConflict          409: the name of a group is taken                     a person must act
//	IsRejected          400 and every other 4xx, or invalid arguments         a person must act
//	IsRateLimited       429; RetryAfter says how long to wait, if             wait
//	                    LambdaTest said so
//	IsUnavailable       5xx, network, timeout, redirect, an answer that is    back off, try again
//	                    not LambdaTest's (HTML) or contradicts itself
//	IsForeign           as IsUnavailable: a 3xx or a 4xx that may be another      read, then see Refusal
//	                    server's
//	IsContradiction     as IsUnavailable: a list that contradicts itself or the   trust no such list
//	                    request
//	IsOutcomeUnknown    a change was sent, but no trustworthy answer came     read before writing again
//
// Every answer is checked before it is returned: another id or another user
// than was asked for, or a page that contradicts its own totals, is an error.
//
// The package has no policy: it does not retry, limit the rate, cache or follow
// redirects. It imports only the standard library and knows nothing of
// Kubernetes.
package lambdatest
