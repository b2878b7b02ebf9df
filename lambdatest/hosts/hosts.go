// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// lambdaTest are the entries for LambdaTest's own hosts, in the United States and in Europe. Other services may listen on their other ports.
var lambdaTest = []string{"auth.lambdatest.com:443", "eu-auth.lambdatest.com:443"}

// Hosts are the hosts that may be called with an organization's token.
type Hosts []host

// host is one allowed host. A host without a port stands for all its ports.
type host struct {
	scheme, host, port string
}

// Parse reads entries such as "scim.example.com", "scim.example.com:8443" or "http://127.0.0.1:8080", and adds LambdaTest's own hosts. The
// error names the first entry that is none of these.
func Parse(entries []string) (Hosts, error) {
	var hosts Hosts
	for _, entry := range slices.Concat(lambdaTest, entries) {
		if !strings.Contains(entry, "://") {
			entry = "https://" + entry
		}
		parsed, err := url.Parse(entry)
		if err != nil || parsed.Hostname() == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
			return nil, fmt.Errorf("reading upstream host %q: want host, host:port or http://host:port", entry)
		}
		hosts = append(hosts, host{parsed.Scheme, lowerASCII(parsed.Hostname()), parsed.Port()})
	}
	return hosts, nil
}

// Allows reports whether the host of a base URL may be called.
func (h Hosts) Allows(baseURL string) bool {
	parsed, err := url.Parse(baseURL)
	if err != nil {
		return false
	}
	for _, allowed := range h {
		if allowed.matches(parsed) {
			return true
		}
	}
	return false
}

// Check returns an error for a base URL whose host may not be called. The error is shown to users.
func (h Hosts) Check(baseURL string) error {
	if h.Allows(baseURL) {
		return nil
	}
	parsed, err := url.Parse(baseURL)
	if err != nil {
		return errors.New("spec.baseURL is not a URL")
	}
	return fmt.Errorf("spec.baseURL names %s://%s, which the operator may not call: correct it, or allow the host with the operator's flag --upstream-hosts",
		parsed.Scheme, parsed.Host)
}

// Connect returns a client that sends the token to baseURL. It returns an error for a host that may not be called. It is the only way to a
// client in the product (.golangci.yml), so no part of the product can forget to check the host and the address. With
// lambdatest.WithHTTPClient the caller's client decides about addresses.
func (h Hosts) Connect(baseURL, token string, options ...lambdatest.Option) (*lambdatest.Client, error) {
	if err := h.Check(baseURL); err != nil {
		return nil, err
	}
	return lambdatest.New(baseURL, token, append([]lambdatest.Option{lambdatest.WithDialControl(h.DialControl)}, options...)...)
}

func (h host) matches(u *url.URL) bool {
	sameScheme := h.scheme == u.Scheme || h.scheme == "http" && u.Scheme == "https"
	return sameScheme && h.host == lowerASCII(u.Hostname()) && (h.port == "" || h.port == portOf(u))
}

// lowerASCII changes ASCII only: a host with a letter that merely resembles one of an allowed host is another host.
func lowerASCII(host string) string {
	return strings.Map(func(char rune) rune {
		if 'A' <= char && char <= 'Z' {
			return char + 'a' - 'A'
		}
		return char
	}, host)
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}
