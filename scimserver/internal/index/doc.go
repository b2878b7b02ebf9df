// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package index is what lists are answered from: the users and groups that the SCIM endpoint owns, of every organization, in the order of
// their creation, and the groups of every member. Informers feed it; a writer can wait until it has a version. It decides nothing and calls
// no other package. It imports api, and knows nothing of claims, token and SCIM's own packages.
package index
