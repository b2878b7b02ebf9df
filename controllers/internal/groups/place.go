// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package groups

import (
	"strings"
)

// placePrefix begins the places of groups in the lane; no userName begins so.
const placePrefix = "\x00group/"

// Place is the name under which a group waits in the lane.
func Place(resource string) string { return placePrefix + resource }

// ResourceAt is the way back, if it is the place of a group.
func ResourceAt(place string) (string, bool) { return strings.CutPrefix(place, placePrefix) }
