// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package scimserver speaks SCIM 2.0 (RFC 7643, RFC 7644, RFC 9865) to identity providers and writes what they say as
// LambdaTestUser and LambdaTestGroup resources. It sees and writes resources with the label iam.lambdatest.io/source=scim, and no
// others. The resources are the only store: a write is answered after the API server has it. Of an organization it writes one thing,
// the hour in which each token was last used.
//
// It knows nothing of LambdaTest, makes no upstream call and decides nothing about accounts; that is the controllers' part, and the
// two meet in the API server. It imports api, apimachinery, client-go and controller-runtime, never controllers or lambdatest.
//
// How a request travels:
//
//	http.go      request id, panic, metrics, path             errors.go    any error -> SCIM error
//	auth.go      bearer token -> organization                  answer.go    reply, decode
//	routes.go    path and verb -> operation                    limits.go    every limit, with unit and reason
//	users.go, groups.go, list.go, discovery.go                 the operations
//	index.go     what lists are answered from                  store.go     live reads; write, wait, retry
//	tokens.go    which token is whose                          group_batch.go   changes of one group, written together
//	token_uses.go    when each was last used
//
// and the pure functions, each on values alone:
//
//	schema.go    the one table of attributes                   patch.go     RFC 7644, section 3.5.2
//	body.go      JSON -> canonical attributes                  filter.go    RFC 7644, section 3.4.2.2
//	render.go    projection and JSON                           user_mapping.go, group_mapping.go   resource <-> attributes
//	denial.go    a request that ends in active: false denies   cursor.go    RFC 9865
//	user_change.go, group_change.go, group_delta.go            what a request makes of a resource
package scimserver
