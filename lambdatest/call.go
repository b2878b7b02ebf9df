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
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
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

// answer is the response: read to its end, but not checked yet.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes the call and decodes the body of a success into into, which is nil
// where the contract promises no body.
func (c *Client) do(ctx context.Context, req call, into any) error {
	got, err := c.send(ctx, req)
	if err != nil {
		return err
	}
	if !got.succeeded(into == nil) {
		return c.refusal(req, got)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(got.body, into); err != nil {
		return c.malformed(req, got.status, "the answer is not the JSON that was expected")
	}
	return nil
}

// send makes the request once and reads its answer, also when it is an error.
func (c *Client) send(ctx context.Context, req call) (answer, error) {
	var left atomic.Bool
	request, err := c.request(ctx, req, &left)
	if err != nil {
		return answer{}, invalid(req.name(), err.Error())
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, c.unanswered(req, err, left.Load())
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes+1))
	if err != nil {
		return answer{}, c.unanswered(req, err, true)
	}
	if len(body) > maxAnswerBytes {
		return answer{}, c.malformed(req, response.StatusCode, "the answer is larger than any LambdaTest gives")
	}
	return answer{status: response.StatusCode, header: response.Header, body: body}, nil
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
func (a answer) succeeded(empty bool) bool {
	if empty {
		return a.status == http.StatusNoContent || a.status == http.StatusOK
	}
	return a.status == http.StatusOK || a.status == http.StatusCreated
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
		Detail:         c.readable(err.Error()),
		cause:          err,
		kind:           kindOfTransport(err),
		outcomeUnknown: req.changes() && left,
	}
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
