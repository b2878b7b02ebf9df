// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package scimserver speaks SCIM 2.0 (RFC 7643, RFC 7644, RFC 9865) to identity providers and writes what they say as
// LambdaTestUser and LambdaTestGroup resources. It sees and writes resources with the label iam.lambdatest.io/source=scim, and no
// others. The resources are the only store: a write is answered after the API server has it. Of an organization it writes one thing,
// the hour in which each token was last used.
//
// It knows nothing of LambdaTest, makes no upstream call and decides nothing about accounts; that is the controllers' part, and the
// two meet in the API server. It imports api, the packages below internal, apimachinery, client-go and controller-runtime, never
// controllers or lambdatest.
//
// How a request travels:
//
//	http.go            request id, panic, metrics, path        errors.go      any error -> SCIM error
//	auth.go            bearer token -> organization            answer.go      reply
//	routes.go          path and verb -> operation              limits.go      limits of HTTP and of writing
//	users.go, groups.go, list.go, discovery.go                 the operations
//	store.go           live reads; write, wait, retry          group_batch.go changes of one group, written together
//	list_reply.go      pages of a list                         cursor.go      RFC 9865
//	answer_budget.go   memory and CPU time of answers          group_members.go   which members are shown
//
// and what it stands on, each in a package of its own:
//
//	internal/claims    what a request makes of a user or group; denials
//	internal/index     what lists are answered from
//	internal/token     which token is whose, and when each was last used
//	internal/scim      the one table of attributes; read, patch, match, project, render
//	internal/filter    filters and paths
//	internal/problem   the SCIM error
package scimserver
