// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Package filter parses the filters and paths of RFC 7644, figures 1 and 7: one pass, bounded depth. It takes two forms more than the RFC
// has, because providers send them: a comparison after a value filter, emails[type eq "work"].value eq "x" (Entra ID), and any filter
// between the brackets, not just two terms. It knows no schema: what a name means is the part of package scim. It imports problem only.
//
// docs/decisions/0008 has why scim2/filter-parser, which the tests compare it with, is not used here.
package filter
