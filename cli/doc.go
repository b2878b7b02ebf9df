// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line for people. It is in the same binary as the operator: under the name kubectl-lambdatest, that binary is a
// kubectl plugin.
//
// A command is a file. What several of them show is a row or a table: people.go makes rows about people from resources, held.go about what the
// guard holds, and output.go prints tables, JSON, YAML and CSV.
//
// It uses the API server with the rights of the user who runs it. It contains no rules of its own: plan, and who decides about a person, are the
// code that the operator runs, and lambdatest/hosts decides where a token may be sent. It imports api, audit, controllers/person and lambdatest.
package cli
