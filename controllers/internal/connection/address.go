// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"net"
	"net/url"
	"path"
	"strings"
)

// Address is a base URL in one spelling: two base URLs that reach the same API have the same Address. Without it, a slash at the end would
// let two organizations with one token take each other for different ones.
func Address(baseURL string) string {
	parsed, err := url.Parse(baseURL)
	if err != nil {
		return baseURL
	}
	host := strings.TrimSuffix(strings.ToLower(parsed.Hostname()), ".")
	port := parsed.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[parsed.Scheme]
	}
	return parsed.Scheme + "://" + net.JoinHostPort(host, port) + path.Clean("/"+parsed.Path)
}
