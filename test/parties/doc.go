// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package parties are the people and programs that use the operator in a run: the clients of an identity provider, Git, an administrator at
// LambdaTest, and one who tries to change what only the endpoint may write. They need an http.Client and a base URL, a Kubernetes client, a
// clock (time's, which testing/synctest simulates) and a seed, and record what they ask and what is answered in the histories of
// test/promises.
//
//	world.go         what all parties share: the start, the seed, clients, histories
//	organization.go  the people and groups of an organization that they work on
//	provider.go      a client of SCIM; scim.go is SCIM as identity providers speak it; read.go reads everything at the end
//	git.go           manifests, and a prune by mistake
//	others.go        edits at LambdaTest, and an intruder
//
// It is test support: nothing that ships imports it.
package parties
