// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package audit is the audit trail of the operator: one structured log line (logger "audit") for each call that changes something at LambdaTest,
// each denial and its completion, each decision of and about the guard, and each SCIM token that is created, or used or refused for the first
// time. Line is the schema, which docs/audit.md documents; a field keeps its meaning.
//
// controllers and scimserver write lines, and the command line reads lines that were shipped. The package keeps nothing and calls nothing. It
// imports api only.
package audit
