// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command licences checks the licence of every module in the shipped binary, on every platform. It fails on a licence that is not allowed,
// missing or not recognised. With -texts it writes all licences to a file, which a distribution of the binary must include. It reads Go's
// module cache and makes no request. It is a build tool: nothing that ships imports it.
package main
