// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

func TestUpstreamHostsCheck(t *testing.T) {
	hosts, err := Parse([]string{"scim.example.com:8443", "http://127.0.0.1:8080", "proxy.example.com", "fixed.example.com:443"})
	if err != nil {
		t.Fatal(err)
	}
	for url, allowed := range map[string]bool{
		"https://auth.lambdatest.com/api/scim":             true,
		"https://AUTH.lambdatest.com/api/scim":             true,
		"http://auth.lambdatest.com/api/scim":              false,
		"https://auth.lambdate\u017ft.com/api/scim":        false, // long s, which Unicode folds to s
		"https://\uff41uth.lambdatest.com/api/scim":        false, // full width a, which IDNA maps to a
		"https://auth.lambdatest.com.example.com/api/scim": false,
		"https://example.com/auth.lambdatest.com":          false,
		"https://scim.example.com:8443/":                   true,
		"https://scim.example.com/":                        false,
		"https://fixed.example.com/":                       true,
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

		// The same addresses in every notation that a network may translate.
		{outside, "[64:ff9b::a9fe:a9fe]:443", false},             // NAT64
		{outside, "[64:ff9b::7f00:1]:443", false},                // NAT64, loopback
		{outside, "[64:ff9b::cb00:7107]:443", true},              // NAT64, 203.0.113.7: how a cluster without IPv4 reaches LambdaTest
		{outside, "[64:ff9b:1::a9fe:a9fe]:443", false},           // NAT64 with a prefix of one's own, /96
		{outside, "[64:ff9b:1:a9fe:a9:fe00::]:443", false},       // … /48
		{outside, "[64:ff9b:1:a9:fe:a9fe::]:443", false},         // … /56
		{outside, "[64:ff9b:1:0:a9:fea9:fe00:0]:443", false},     // … /64
		{outside, "[64:ff9b:1::cb00:7107]:443", true},            // … of 203.0.113.7
		{outside, "[2002:a9fe:a9fe::]:443", false},               // 6to4
		{outside, "[2002:7f00:1::1]:443", false},                 // 6to4, loopback
		{outside, "[2001:0:a9fe:a9fe::]:443", false},             // Teredo, the server
		{outside, "[2001:0:cb00:7107:0:0:5601:5601]:443", false}, // Teredo, the client: inverted
		{outside, "[::a9fe:a9fe]:443", false},                    // IPv4-compatible
		{outside, "[::ffff:0:a9fe:a9fe]:443", false},             // IPv4-translated
		{outside, "[2001:db8::5efe:a9fe:a9fe]:443", false},       // ISATAP
		{outside, "[2001:db8::200:5efe:a9fe:a9fe]:443", false},   // ISATAP, of a public address

		// Metadata services that are not on the link.
		{outside, "168.63.129.16:443", false},          // Azure
		{outside, "[::ffff:168.63.129.16]:443", false}, // Azure, mapped
		{outside, "192.0.0.192:443", false},            // Oracle
		{outside, "[fd00:c1::a9fe:a9fe]:443", false},   // Oracle
		{outside, "[fd20:ce::254]:443", false},         // Google
		{outside, "[fd00:ec2::23]:443", false},         // AWS, credentials of pods
		{outside, "[fd00:42::42]:443", false},          // Scaleway
		{outside, "[64:ff9b::a83f:8110]:443", false},   // Azure, NAT64
		{outside, "0.1.2.3:443", false},
		{outside, "255.255.255.255:443", false},
		{outside, "[fd00:1::254]:443", true}, // a private network is where a proxy may be
	} {
		if got := test.hosts.DialControl("tcp", test.address) == nil; got != test.allowed {
			t.Errorf("%s: allowed %t, want %t", test.address, got, test.allowed)
		}
	}
}

func TestUpstreamHostsNameLambdaTestOnItsOwnPortAlone(t *testing.T) {
	for name, entries := range map[string][]string{"without entries": nil, "with others": {"scim.example.com"}} {
		hosts, err := Parse(entries)
		if err != nil {
			t.Fatal(err)
		}
		for url, allowed := range map[string]bool{
			v1alpha1.DefaultBaseURL:                     true,
			"https://auth.lambdatest.com:443/api/scim":  true,
			"https://eu-auth.lambdatest.com/api/scim":   true,
			"https://auth.lambdatest.com:22/api/scim":   false,
			"https://auth.lambdatest.com:8443/api/scim": false,
			"http://auth.lambdatest.com:443/api/scim":   false,
			"https://auth.lambdatest.com./api/scim":     false,
		} {
			if got := hosts.Check(url) == nil; got != allowed {
				t.Errorf("%s, %s: allowed %t, want %t", url, name, got, allowed)
			}
		}
	}
}
