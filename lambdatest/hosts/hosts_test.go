// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"testing"
)

func TestUpstreamHostsCheck(t *testing.T) {
	hosts, err := Parse([]string{"https://auth.lambdatest.com", "scim.example.com:8443", "http://127.0.0.1:8080", "proxy.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for url, allowed := range map[string]bool{
		"https://auth.lambdatest.com/api/scim":             true,
		"https://AUTH.lambdatest.com/api/scim":             true,
		"http://auth.lambdatest.com/api/scim":              false,
		"https://auth.lambdatest.com.example.com/api/scim": false,
		"https://example.com/auth.lambdatest.com":          false,
		"https://scim.example.com:8443/":                   true,
		"https://scim.example.com/":                        false,
		"https://proxy.example.com:1234/":                  true,
		"http://127.0.0.1:8080/api/scim":                   true,
		"http://127.0.0.1:8081/api/scim":                   false,
		"http://169.254.169.254/latest/meta-data":          false,
	} {
		if got := hosts.Check(url) == nil; got != allowed {
			t.Errorf("%s: allowed %t, want %t", url, got, allowed)
		}
	}
}

func TestUpstreamHostsRefuseNonsense(t *testing.T) {
	for _, entry := range []string{"", "ftp://example.com", "https://"} {
		if _, err := Parse([]string{entry}); err == nil {
			t.Errorf("%q was accepted as a host", entry)
		}
	}
}

func TestDialControl(t *testing.T) {
	outside, err := Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	loopback, err := Parse([]string{"http://localhost:8080"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		hosts   Hosts
		address string
		allowed bool
	}{
		{outside, "203.0.113.7:443", true},
		{outside, "[2001:db8::7]:443", true},
		{outside, "10.1.2.3:443", true},
		{outside, "127.0.0.1:443", false},
		{loopback, "127.0.0.1:8080", true},
		{loopback, "[::1]:8080", true},
		{loopback, "169.254.169.254:80", false},
		{loopback, "[::ffff:169.254.169.254]:80", false},
		{loopback, "[fe80::1%eth0]:80", false},
		{loopback, "[fd00:ec2::254]:80", false},
		{loopback, "100.100.100.200:80", false},
		{loopback, "0.0.0.0:80", false},
		{loopback, "[::]:80", false},
		{loopback, "nonsense", false},
	} {
		if got := test.hosts.DialControl("tcp", test.address) == nil; got != test.allowed {
			t.Errorf("%s: allowed %t, want %t", test.address, got, test.allowed)
		}
	}
}
