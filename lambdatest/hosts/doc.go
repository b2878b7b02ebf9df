// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package hosts says which hosts may be called with a token. When a connection is made, it also refuses addresses that LambdaTest
// cannot have, such as link-local ones. It imports no package of this module.
package hosts
