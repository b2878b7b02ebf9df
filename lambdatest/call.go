// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// call is one request to the API, and what its errors need to know about it.
type call struct {
	method string
	route  string // "/Users/{id}"
	id     string // replaces {id}; already checked, so it cannot change the path
	query  url.Values
	body   any
}

// name is the name of the call in errors: it contains no id and no address.
func (c call) name() string {
	return c.method + " " + c.route
}

func (c call) changes() bool {
	return c.method != http.MethodGet
}

// maxBytes bounds the answer. One account is small; a group contains all its
// members.
func (c call) maxBytes() int {
	if c.route == "/Users/{id}" || c.method == http.MethodPost && c.route == "/Users" {
		return maxUserBytes
	}
	return maxAnswerBytes
}

// do makes the call and decodes the body of a success into into, which is nil
// where the contract promises no body.
func (c *Client) do(ctx context.Context, req call, into any) error {
	response, err := c.send(ctx, req)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if into == nil || !succeeded(response.StatusCode, false) {
		start, err := io.ReadAll(io.LimitReader(response.Body, maxRefusalBytes))
		if err != nil {
			return c.unanswered(req, err, true)
		}
		if into == nil && succeeded(response.StatusCode, true) {
			return nil
		}
		return c.refusal(req, response.StatusCode, response.Header, start)
	}
	if isCompressed(response.Header.Get("Content-Encoding")) {
		return c.malformed(req, response.StatusCode, "the answer is compressed, which was not asked for")
	}
	turn := turns{own: c.largeAnswer, host: largeAnswers.of(c.base.Hostname())}
	defer turn.done()
	answer := &body{from: response.Body, maxBytes: req.maxBytes(), wait: func() error { return turn.wait(ctx) }}
	err = decode(answer, into)
	switch {
	case err == nil:
		return nil
	case answer.broken != nil:
		return c.unanswered(req, answer.broken, true)
	case answer.excess != "":
		return c.malformed(req, response.StatusCode, answer.excess)
	case errors.Is(err, errTooMany):
		return c.contradicted(req, err.Error())
	}
	return c.malformed(req, response.StatusCode, "the answer is not the JSON that was expected")
}

// send makes the request once. The caller closes the body, also of an error.
func (c *Client) send(ctx context.Context, req call) (*http.Response, error) {
	var left atomic.Bool
	request, err := c.request(ctx, req, &left)
	if err != nil {
		return nil, invalid(req.name(), err.Error())
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.unanswered(req, err, left.Load())
	}
	return response, nil
}

// request builds the HTTP request; left becomes true as soon as a part of it
// may have reached the other side.
func (c *Client) request(ctx context.Context, req call, left *atomic.Bool) (*http.Request, error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { left.Store(true) },
	})
	var body io.Reader
	if req.body != nil {
		encoded, err := encode(req.body)
		if err != nil {
			return nil, fmt.Errorf("encoding body: %w", err)
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, req.method, c.url(req), body)
	if err != nil {
		return nil, fmt.Errorf("building request: %w", err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/scim+json")
	}
	request.Header.Set("Accept", "application/scim+json, application/json")
	// Without the header a transport asks for gzip by itself, and unpacks a thousand times what arrives.
	request.Header.Set("Accept-Encoding", "identity")
	request.Header.Set("User-Agent", c.userAgent)
	c.authorize(request)
	return request, nil
}

// url keeps a query of the base URL, such as Entra's "?aadOptscim062020".
func (c *Client) url(req call) string {
	target := c.base.JoinPath(strings.Split(strings.Replace(req.route, "{id}", req.id, 1), "/")...)
	// "+" for a space is form encoding; every server understands "%20".
	query := strings.ReplaceAll(req.query.Encode(), "+", "%20")
	target.RawQuery = strings.Trim(target.RawQuery+"&"+query, "&")
	return target.String()
}

// encode does not escape <, > and &: names are sent unchanged.
func encode(body any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(body)
	return buffer.Bytes(), err
}

// succeeded accepts the statuses of the contract, and 200 instead of 201, which
// means that an existing account was updated.
func succeeded(status int, empty bool) bool {
	if empty {
		return status == http.StatusNoContent || status == http.StatusOK
	}
	return status == http.StatusOK || status == http.StatusCreated
}

// unanswered is the error of a request whose answer did not arrive.
func (c *Client) unanswered(req call, err error, left bool) *Error {
	// A url.Error repeats the URL, and with it the userName in a filter.
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return &Error{
		Call:           req.name(),
		Detail:         c.readable(withoutAddresses(err)),
		cause:          err,
		kind:           kindOfTransport(err),
		outcomeUnknown: req.changes() && left,
	}
}

// withoutAddresses is the text of a transport error without the addresses of the
// two ends: the port of this one is another each time, and a text in a condition
// should change only with what it says.
func withoutAddresses(err error) string {
	var lookup *net.DNSError
	var connection *net.OpError
	switch {
	case errors.As(err, &lookup):
		return "looking up the host: " + lookup.Err
	case errors.As(err, &connection):
		return connection.Op + ": " + connection.Err.Error()
	}
	return err.Error()
}

// otherName is the error of an answer about another name than was asked for. If
// only the names' letters outside of ASCII can be the reason, LambdaTest takes the
// two for the same.
func (c *Client) otherName(req call, detail, asked, answered string) *Error {
	err := c.malformed(req, http.StatusOK, detail)
	isASCII := func(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) }
	err.otherName = !isASCII(asked) || !isASCII(answered)
	return err
}

// malformed is the error of an answer that cannot be trusted.
func (c *Client) malformed(req call, status int, detail string) *Error {
	return &Error{
		Call:           req.name(),
		Status:         status,
		Detail:         c.readable(detail),
		kind:           unavailable,
		outcomeUnknown: req.changes(),
	}
}
