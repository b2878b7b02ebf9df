// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// cursor is a place in a list: RFC 9865. It names the last resource that was shown and not a number of resources, so that those that
// come and go meanwhile are neither shown twice nor pushed over the edge of a page. It holds nothing secret; the seal ties it to the
// organization, the collection and the filter that it was made for.
type cursor struct {
	collection int
	position   index.Position
}

// before tells whether a resource at that place is still to come. The zero cursor is before everything.
func (c cursor) before(at cursor) bool {
	return cmp.Or(cmp.Compare(c.collection, at.collection), c.position.Compare(at.position)) < 0
}

// within is the position in a collection after which the list goes on: before all of a later collection, behind all of an earlier one.
func (c cursor) within(collection int) index.Position {
	switch {
	case c.collection < collection:
		return index.Position{Created: math.MinInt64}
	case c.collection > collection:
		return index.Position{Created: math.MaxInt64}
	default:
		return c.position
	}
}

const sealBytes = 16

func seal(organization types.NamespacedName, list string, place []byte) []byte {
	sum := sha256.Sum256([]byte(organization.String() + "\x00" + list + "\x00" + string(place)))
	return sum[:sealBytes]
}

func (c cursor) encode(organization types.NamespacedName, list string) string {
	place := fmt.Appendf(nil, "%d.%d %s", c.collection, c.position.Created, c.position.Name)
	return base64.RawURLEncoding.EncodeToString(append(seal(organization, list, place), place...))
}

// readCursor reads what encode wrote; an empty text is the beginning.
func readCursor(text string, organization types.NamespacedName, list string) (cursor, error) {
	if text == "" {
		return cursor{collection: -1}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < sealBytes {
		return cursor{}, problem.BadCursor("the cursor is none that this endpoint gave")
	}
	place := raw[sealBytes:]
	if string(seal(organization, list, place)) != string(raw[:sealBytes]) {
		return cursor{}, problem.BadCursor("the cursor belongs to another list: use it with the path and the filter for which it was given")
	}
	var c cursor
	if _, err := fmt.Sscanf(string(place), "%d.%d %s", &c.collection, &c.position.Created, &c.position.Name); err != nil {
		return cursor{}, problem.BadCursor("the cursor is none that this endpoint gave")
	}
	return c, nil
}
