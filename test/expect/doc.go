// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package expect is the vocabulary of the specs: builders for resources, helpers that call an API server and fail the spec on an error,
// and matchers for conditions. Import it with a dot. It imports the API types, but not controllers and scimserver, whose specs import it.
package expect
