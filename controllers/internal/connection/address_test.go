// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import "testing"

func TestAddressIsTheSameHoweverABaseURLIsSpelled(t *testing.T) {
	const plain = "https://auth.lambdatest.com/api/scim"
	for _, spelling := range []string{
		plain + "/", plain + "//", "https://AUTH.LambdaTest.com/api/scim", "https://auth.lambdatest.com:443/api/scim", "https://auth.lambdatest.com./api/scim",
		"https://auth.lambdatest.com//api/scim", "https://auth.lambdatest.com/x/../api/./scim", "https://auth.lambdatest.com/api/%73cim",
		"HTTPS://auth.lambdatest.com/api/scim",
	} {
		if Address(spelling) != Address(plain) {
			t.Errorf("%s is %s, not %s", spelling, Address(spelling), Address(plain))
		}
	}
	for _, other := range []string{
		"https://eu-auth.lambdatest.com/api/scim", "http://auth.lambdatest.com/api/scim", "https://auth.lambdatest.com:8443/api/scim",
		"https://auth.lambdatest.com/api/SCIM", "https://auth.lambdatest.com/api", "http://auth.lambdatest.com:443/api/scim",
	} {
		if Address(other) == Address(plain) {
			t.Errorf("%s counts as %s", other, plain)
		}
	}
}
