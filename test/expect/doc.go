// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package expect is the vocabulary of the specs: builders for resources, helpers that talk to an API server and fail the spec when
// it refuses, and matchers for conditions. It is meant to be imported with a dot. It knows the API types and nothing of controllers
// or of the SCIM endpoint, whose specs import it.
package expect
