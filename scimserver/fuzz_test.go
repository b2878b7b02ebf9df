// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"net/http"
	"net/url"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/index"
)

func FuzzCursor(f *testing.F) {
	organization := types.NamespacedName{Namespace: "a", Name: "b"}
	f.Add(cursor{position: index.Position{Created: 7, Name: "scim-x"}}.encode(organization, "userName pr"))
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := readCursor(text, organization, "userName pr"); err != nil && problemOf(err).Status != http.StatusBadRequest {
			t.Fatalf("not the client's fault: %v", err)
		}
		if _, err := readCursor(text, types.NamespacedName{Namespace: "a", Name: "c"}, "userName pr"); err == nil && text != "" {
			t.Fatal("a cursor for any organization")
		}
	})
}

func FuzzURL(f *testing.F) {
	for _, seed := range []string{"/scim/v2/Users", "/scim/v2/Users/%2e%2e/x", "/scim/v2//", "/scim/v2/Users/a%2Fb", "/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse(text)
		if err != nil {
			return
		}
		segments, ok := segmentsOf(u)
		for _, segment := range segments {
			if ok && (segment == "" || segment == "." || segment == "..") {
				t.Fatalf("segment %q", segment)
			}
		}
	})
}
