// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command licences looks at the licence of every module that is in the shipped binary, on every platform it ships for, and fails on one
// that is not allowed, missing or not recognised. With -texts it writes all of them to a file: what a distribution of the binary must
// bring along. It reads Go's module cache and asks nobody. It is a build tool: nothing that ships imports it.
package main
