// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package hosts decides where an organization's token may be sent, for the operator and for the command line. It says which hosts may be
// called. When a connection is made, it also refuses addresses that LambdaTest cannot have, such as link-local ones. Its Connect is the
// only way to a client of LambdaTest in the product. It imports lambdatest only.
package hosts
