// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// wireError is RFC 7644, section 3.12. Its status is not read: it is a string
// or a number, and the HTTP status says the same.
type wireError struct {
	ScimType string `json:"scimType"`
	Detail   string `json:"detail"`
}

// refusal is the error of an answer whose status is not a success.
func (c *Client) refusal(req call, status int, header http.Header, body []byte) *Error {
	said, genuine := readError(body)
	result := &Error{
		Call:     req.name(),
		Status:   status,
		ScimType: c.readable(said.ScimType),
		Detail:   c.readable(said.Detail),
		kind:     kindOfStatus(status, genuine),
	}
	if !genuine && result.Detail == "" {
		result.Detail = "the answer is not JSON, so it may not be LambdaTest's"
	}
	result.RetryAfter, result.HasRetryAfter = retryAfter(header, c.now())
	result.foreign = result.kind == unavailable && status < 500 && status != http.StatusRequestTimeout
	result.outcomeUnknown = req.changes() && result.kind == unavailable
	return result
}

// readError reads LambdaTest's explanation. An empty body counts as LambdaTest's:
// it has no explanation, but no sign of another server either.
func readError(body []byte) (wireError, bool) {
	if strings.TrimSpace(string(body)) == "" {
		return wireError{}, true
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || fields == nil {
		return wireError{}, false
	}
	var said wireError
	// A field of another type only removes an explanation; it does not change the meaning.
	_ = json.Unmarshal(body, &said)
	return said, true
}

// retryAfter reads both forms of RFC 9110, section 10.2.3. A value that is
// neither counts as absent.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		if seconds > uint64(MaxRetryAfter/time.Second) {
			return MaxRetryAfter, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(at.Sub(now), 0), MaxRetryAfter), true
	}
	return 0, false
}

// readable makes text from an answer safe for logs and conditions: one short
// line, without the token.
func (c *Client) readable(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, c.redact(text))
	runes := []rune(strings.TrimSpace(text))
	if len(runes) > maxDetailRunes {
		return string(runes[:maxDetailRunes]) + "…"
	}
	return string(runes)
}
