// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// DialControl refuses, when a connection is made, addresses that no LambdaTest has: those of the machine itself, of its link, and
// with them every cloud's metadata service, in every notation that a network translates. A name that resolves to one is caught. Loopback
// is allowed when an entry names it.
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
	for _, reading := range append(translations(ip), ip) {
		switch {
		case reading.IsLoopback() && (reading != ip || !h.nameLoopback()):
			return errors.New("the host resolves to a loopback address")
		case isForbidden(reading):
			return errors.New("the host resolves to an address of the local network segment or of a metadata service")
		}
	}
	return nil
}

func isForbidden(ip netip.Addr) bool {
	return ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() ||
		slices.ContainsFunc(forbidden, func(each netip.Prefix) bool { return each.Contains(ip) })
}

// forbidden are addresses outside the link-local ranges that no LambdaTest has.
var forbidden = prefixes(
	"0.0.0.0/8",              // this network
	"255.255.255.255/32",     // broadcast
	"100.100.100.200/32",     // metadata of Alibaba
	"168.63.129.16/32",       // Azure's host
	"192.0.0.0/24",           // protocol assignments, metadata of Oracle among them
	"fd00:42::42/128",        // metadata of Scaleway
	"fd00:c1::a9fe:a9fe/128", // metadata of Oracle
	"fd00:ec2::/32",          // metadata of AWS, credentials of pods among them
	"fd20:ce::254/128",       // metadata of Google
)

// The ranges whose addresses hold an IPv4 address that they are translated to or tunnelled to.
var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")        // RFC 6052
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")      // RFC 8215
	sixToFour  = netip.MustParsePrefix("2002::/16")           // RFC 3056
	teredo     = netip.MustParsePrefix("2001::/32")           // RFC 4380
	compatible = netip.MustParsePrefix("::/96")               // RFC 4291, section 2.5.5.1
	translated = netip.MustParsePrefix("::ffff:0:0:0/96")     // RFC 2765
	thisOne    = netip.PrefixFrom(netip.IPv4Unspecified(), 8) // what the unused positions of localNAT64 read as
)

// translations returns the IPv4 addresses that a network may take an IPv6 address for.
func translations(ip netip.Addr) []netip.Addr {
	if !ip.Is6() || ip.IsLoopback() || ip.IsUnspecified() {
		return nil
	}
	bytes := ip.As16()
	at := func(a, b, c, d int) netip.Addr {
		return netip.AddrFrom4([4]byte{bytes[a], bytes[b], bytes[c], bytes[d]})
	}
	last := at(12, 13, 14, 15)
	switch {
	case nat64.Contains(ip), compatible.Contains(ip), translated.Contains(ip):
		return []netip.Addr{last}
	case localNAT64.Contains(ip):
		// RFC 6052, section 2.2: where the IPv4 address stands depends on the length of the prefix, which is not known here.
		return slices.DeleteFunc([]netip.Addr{at(6, 7, 9, 10), at(7, 9, 10, 11), at(9, 10, 11, 12), last}, thisOne.Contains)
	case sixToFour.Contains(ip):
		return []netip.Addr{at(2, 3, 4, 5)}
	case teredo.Contains(ip):
		client := last.As4()
		for i := range client {
			client[i] = ^client[i]
		}
		return []netip.Addr{at(4, 5, 6, 7), netip.AddrFrom4(client)}
	case bytes[8]&^2 == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe: // ISATAP, RFC 5214
		return []netip.Addr{last}
	}
	return nil
}

func prefixes(texts ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		parsed = append(parsed, netip.MustParsePrefix(text))
	}
	return parsed
}

func (h Hosts) nameLoopback() bool {
	for _, allowed := range h {
		if ip, err := netip.ParseAddr(allowed.host); allowed.host == "localhost" || err == nil && ip.IsLoopback() {
			return true
		}
	}
	return false
}
