// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line for people: status, plan, export, approve, reject, token and uninstall. The same binary runs the
// operator; linked as kubectl-lambdatest it is a kubectl plugin.
//
// It works through the API server with the rights of whoever calls it, and decides nothing by itself: plan asks the code that decides
// at run time. It imports api, controllers and lambdatest.
package cli
