// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package scim is SCIM 2.0 as pure functions over one table of attributes, the ResourceType: reading a body, PATCH, filters, projection,
// JSON, and the documents of /Schemas and /ResourceTypes. It knows neither users nor groups (their tables are in package claims), and no
// Kubernetes. It imports filter and problem.
//
//	schema.go     the table                                   patch*.go                     RFC 7644, section 3.5.2
//	body.go       JSON to canonical attributes                match.go                      RFC 7644, section 3.4.2.2
//	target.go     what a path points at                       render.go                     projection and JSON
package scim
