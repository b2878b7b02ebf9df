// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package lane decides who of an organization calls LambdaTest next, and when: by urgency, then by age, within the rate, the circuit and
// the calls in flight. It makes no call and knows no resource. It imports lambdatest only, for the kinds of errors.
package lane
