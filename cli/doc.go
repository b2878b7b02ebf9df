// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line for people: status, plan, export, doctor, approve, reject, token and uninstall. It is in the same binary
// as the operator: under the name kubectl-lambdatest, that binary is a kubectl plugin.
//
// It uses the API server with the rights of the user who runs it. It contains no rules of its own: plan calls the code that the
// operator runs, and lambdatest/hosts decides where a token may be sent. It imports api, controllers and lambdatest.
package cli
