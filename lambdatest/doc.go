// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package lambdatest is a client of the LambdaTest SCIM API, which manages the
// users and groups of one LambdaTest organization. The token decides which.
//
// It makes the calls of the API and says, in one error type, what came of each:
//
//	question            answer or event                                       next step
//	IsUnauthorized      401                                                   stop until the token changes
//	IsForbidden         403: group provisioning is off                        a person must act
//	IsNotFound          404                                                   look again, create, or forget
//	IsConflict          409: the name of a group is taken                     a person must act
//	IsRejected          400 and every other 4xx, or arguments that no call    a person must act
//	                    could carry
//	IsRateLimited       429; RetryAfter says for how long, when LambdaTest    wait
//	                    does
//	IsUnavailable       5xx, network, time out, redirect, an answer that is   back off, try again
//	                    not LambdaTest's (HTML) or contradicts itself
//	IsOutcomeUnknown    a change was sent and no trustworthy answer came      read before writing again
//
// Every answer is checked before it is believed: an id that was not asked for,
// somebody else's user, or a page that contradicts its own totals is an error
// and never a result.
//
// It is not a policy: it retries nothing, limits no rate, keeps no cache and
// follows no redirect. It imports the standard library only and knows nothing
// of Kubernetes.
package lambdatest
