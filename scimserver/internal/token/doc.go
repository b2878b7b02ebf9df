// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package token is who may ask: the table of the tokens of all organizations, kept current from their Secrets, of which it keeps digests
// alone, and the record of when each token was last used. It limits nothing and reports nothing to people: that is the caller's part. It
// imports api, and knows nothing of claims, index and SCIM's own packages.
package token
