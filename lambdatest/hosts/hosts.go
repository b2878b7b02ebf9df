// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Hosts are the hosts that the operator may call with an organization's token.
type Hosts []host

// host is one allowed host. A host without a port stands for all its ports.
type host struct {
	scheme, host, port string
}

// Parse reads entries such as "scim.example.com", "scim.example.com:8443" or "http://127.0.0.1:8080". The
// error names the first entry that is none of these.
func Parse(entries []string) (Hosts, error) {
	var hosts Hosts
	for _, entry := range entries {
		if !strings.Contains(entry, "://") {
			entry = "https://" + entry
		}
		parsed, err := url.Parse(entry)
		if err != nil || parsed.Hostname() == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
			return nil, fmt.Errorf("reading upstream host %q: want host, host:port or http://host:port", entry)
		}
		hosts = append(hosts, host{parsed.Scheme, strings.ToLower(parsed.Hostname()), parsed.Port()})
	}
	return hosts, nil
}

// Check returns an error for a base URL whose host may not be called. The error is shown to users.
func (h Hosts) Check(baseURL string) error {
	parsed, err := url.Parse(baseURL)
	if err != nil {
		return errors.New("spec.baseURL is not a URL")
	}
	for _, allowed := range h {
		if allowed.matches(parsed) {
			return nil
		}
	}
	return fmt.Errorf("spec.baseURL names %s://%s, which the operator may not call: correct it, or allow the host with the operator's flag --upstream-hosts",
		parsed.Scheme, parsed.Host)
}

func (h host) matches(u *url.URL) bool {
	sameScheme := h.scheme == u.Scheme || h.scheme == "http" && u.Scheme == "https"
	return sameScheme && strings.EqualFold(h.host, u.Hostname()) && (h.port == "" || h.port == u.Port())
}

// DialControl refuses, when a connection is made, addresses that LambdaTest cannot have: loopback and link-local addresses, and the
// metadata services of clouds. It sees the address after name resolution, so a name cannot hide it. Loopback is allowed if
// the flag names localhost or a loopback address.
func (h Hosts) DialControl(_, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("reading the address to dial: %w", err)
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return fmt.Errorf("reading the address to dial: %w", err)
	}
	ip = ip.Unmap().WithZone("")
	switch {
	case ip.IsLoopback() && !h.nameLoopback():
		return errors.New("the host resolves to a loopback address")
	case ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip.IsUnspecified(), ip == awsMetadata, ip == alibabaMetadata:
		return errors.New("the host resolves to an address of the local network segment or of a metadata service")
	}
	return nil
}

// Metadata services of clouds outside the link-local ranges.
var (
	awsMetadata     = netip.MustParseAddr("fd00:ec2::254")
	alibabaMetadata = netip.MustParseAddr("100.100.100.200")
)

func (h Hosts) nameLoopback() bool {
	for _, allowed := range h {
		if ip, err := netip.ParseAddr(allowed.host); allowed.host == "localhost" || err == nil && ip.IsLoopback() {
			return true
		}
	}
	return false
}
