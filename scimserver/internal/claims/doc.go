// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package claims is what a request makes of a LambdaTestUser or a LambdaTestGroup, and what a client sees of one. A change is a value that
// is applied to a resource and returns its new spec; a request that ends in active: false always denies (denial.go). Nothing here reads
// or writes the API server: what has to be asked is asked by functions of GroupRules. It imports api, scim and problem, and
// knows nothing of index and token.
//
//	schema_user.go, schema_group.go     the tables            user_mapping.go, group_mapping.go   resource to attributes and back
//	user_change.go, group_change.go     POST, PUT, PATCH      members.go                          the members of a group: one set
package claims
