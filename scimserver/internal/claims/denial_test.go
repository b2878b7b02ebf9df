// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/scim"
)

func TestBodyDenies(t *testing.T) {
	for body, want := range map[string]bool{
		`{"active":false}`:                             true,
		`{"active":"False"}`:                           true,
		`{"ACTIVE":" false "}`:                         true,
		`{"active":[false]}`:                           true,
		`{"active":{"value":"false"}}`:                 true,
		`{"active":true,"Active":false}`:               true,
		`{"active":false,"active":true}`:               true,
		`{"active":true,"active":false}`:               true,
		`{"active":true,"active":false,"active":true}`: true,
		`{"active":[true],"active":{"value":"False"}}`: true,
		`{"` + userSchema + `":{"active":false},"` + userSchema + `":{"active":true}}`: true,
		`{"` + userSchema + `":{"active":true,"active":false},"active":true}`:          true,
		`{"active":true,"active":true}`:                                                false,
		`{"active":"no","active":null}`:                                                false,
		`{"` + userSchema + `:active":false}`:                                          true,
		`{"` + userSchema + `":{"active":"f"}}`:                                        false,
		`{"active":true}`:                                                              false,
		`{"active":null}`:                                                              false,
		`{"active":"no"}`:                                                              false,
		`{"name":{"active":false}}`:                                                    false,
		`{}`:                                                                           false,
	} {
		if got := bodyDenies(decoded(t, body)); got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}

func TestPatchDenies(t *testing.T) {
	for operations, want := range map[string]bool{
		`{"op":"replace","value":{"active":false}}`:                                                             true,
		`{"op":"Replace","path":"active","value":"False"}`:                                                      true,
		`{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:User:active","value":[false]}`:               true,
		`{"op":"replace","value":[{"active":"FALSE"}]}`:                                                         true,
		`{"op":"replace","path":"` + userSchema + `","value":{"active":false}}`:                                 true,
		`{"op":"replace","path":"active","value":true},{"op":"replace","path":"Active","value":false}`:          true,
		`{"op":"replace","path":"active","value":false},{"op":"replace","path":"displayName","value":"active"}`: true,
		`{"op":"replace","path":"active","value":false},{"op":"replace","path":"active","value":true}`:          false,
		`{"op":"remove","path":"active","value":false}`:                                                         false,
		`{"op":"replace","path":"displayName","value":"false"}`:                                                 false,
		`{"op":"replace","value":{"displayName":"x"}}`:                                                          false,
		`{"op":"replace","value":{"active":true,"ACTIVE":false}}`:                                               true,
		`{"op":"replace","value":{"active":false,"active":true}}`:                                               true,
		`{"op":"replace","value":{"active":false},"value":{"active":true}}`:                                     true,
		`{"op":"replace","path":"active","value":false,"value":true}`:                                           true,
		`{"op":"replace","op":"replace","path":"active","value":false}`:                                         false,
		`{"op":"replace","path":"active","path":"active","value":false}`:                                        false,
	} {
		body, err := scim.ReadPatch(decoded(t, `{"Operations":[`+operations+`]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := patchDenies(body); got != want {
			t.Errorf("%s: %v, want %v", operations, got, want)
		}
	}
}
