// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Client calls the SCIM API of one LambdaTest organization. It may be used by
// many goroutines at once. Printing it never shows the token, in any format.
type Client struct {
	base *url.URL
	http *http.Client

	// Only these closures hold the token: no formatter or JSON encoder can see
	// into them.
	authorize func(*http.Request)
	redact    func(string) string

	// largeAnswer has room for one answer beyond smallAnswerBytes.
	largeAnswer chan struct{}

	userAgent    string
	sameUserName func(a, b string) bool
	now          func() time.Time
}

// Option changes a Client while New makes it.
type Option func(*Client)

// WithHTTPClient makes calls through a copy of h, so that the caller decides on
// transport, proxies, TLS and timeouts. Redirects are always refused.
func WithHTTPClient(h *http.Client) Option {
	return func(c *Client) { c.http = h }
}

// WithDialControl calls control before each connection is made; an error of
// control prevents the connection. The address is the one dialled, after name
// resolution ("192.0.2.1:443"), so that a name cannot hide a forbidden address.
// With a proxy it is the address of the proxy. WithDialControl and
// WithHTTPClient replace each other; the later option wins.
func WithDialControl(control func(network, address string) error) Option {
	return func(c *Client) { c.http = &http.Client{Transport: transport(control), Timeout: DefaultTimeout} }
}

// WithUserAgent sets the User-Agent header; the default is "lambdatest-operator".
func WithUserAgent(agent string) Option {
	return func(c *Client) { c.userAgent = agent }
}

// WithSameUserName sets how userNames, and displayNames of groups, are compared
// when an answer is checked. By default they are compared without regard to case.
func WithSameUserName(same func(a, b string) bool) Option {
	return func(c *Client) { c.sameUserName = same }
}

// WithClock sets the clock that a Retry-After date is compared with.
func WithClock(now func() time.Time) Option {
	return func(c *Client) { c.now = now }
}

// New returns a client for the API at baseURL, for instance
// "https://auth.lambdatest.com/api/scim". It refuses a URL that is relative,
// contains credentials or a fragment, or is neither http nor https, and a token
// that cannot be sent in a header. No error repeats the token.
func New(baseURL, token string, options ...Option) (*Client, error) {
	base, err := parseBaseURL(baseURL)
	if err != nil {
		return nil, fmt.Errorf("reading base URL: %w", err)
	}
	if err := checkToken(token); err != nil {
		return nil, fmt.Errorf("reading token: %w", err)
	}
	c := &Client{
		base:         base,
		authorize:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		redact:       func(s string) string { return strings.ReplaceAll(s, token, "[token]") },
		largeAnswer:  make(chan struct{}, 1),
		userAgent:    "lambdatest-operator",
		sameUserName: strings.EqualFold,
		now:          time.Now,
	}
	for _, option := range options {
		option(c)
	}
	c.http = withoutRedirects(c.http)
	return c, nil
}

// String returns the URL of the API, without the token.
func (c *Client) String() string {
	return "lambdatest.Client(" + c.base.Host + ")"
}

// GoString returns the same as String, so that %#v does not show the token.
func (c *Client) GoString() string {
	return c.String()
}

func parseBaseURL(raw string) (*url.URL, error) {
	base, err := url.Parse(raw)
	if err != nil {
		// The cause repeats the URL, which may contain a password.
		return nil, errors.New("not a URL")
	}
	switch {
	case base.Scheme != "https" && base.Scheme != "http":
		return nil, errors.New("neither http nor https")
	case base.Hostname() == "":
		return nil, errors.New("no host")
	case base.User != nil:
		return nil, errors.New("contains credentials; put the token into the Secret")
	case base.Fragment != "":
		return nil, errors.New("contains a fragment")
	}
	return base, nil
}

// checkToken accepts visible ASCII only: every bearer token is that (RFC 6750,
// section 2.1), and it cannot break a header.
func checkToken(token string) error {
	if token == "" {
		return errors.New("empty")
	}
	for _, char := range []byte(token) {
		if char <= ' ' || char > '~' {
			return errors.New("contains a space, a line break or a character outside ASCII")
		}
	}
	return nil
}

// withoutRedirects returns a copy of h that returns a redirect as the answer:
// following it would send the token to the host that it names.
func withoutRedirects(h *http.Client) *http.Client {
	if h == nil {
		h = &http.Client{Transport: transport(nil), Timeout: DefaultTimeout}
	}
	own := *h
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

func transport(control func(network, address string) error) *http.Transport {
	dialer := &net.Dialer{Timeout: DefaultTimeout, KeepAlive: 15 * time.Second}
	if control != nil {
		dialer.Control = func(network, address string, _ syscall.RawConn) error { return control(network, address) }
	}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    DefaultTimeout,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}
