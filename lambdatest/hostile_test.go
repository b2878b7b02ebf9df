// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// mostForAnAnswer is what one call may allocate, whatever is answered. An answer of 16 MiB, which is the longest that is read, is held
// once and while its buffer grows twice. The race detector adds a few MiB.
const mostForAnAnswer = 160 << 20

// everyRead is a call of each kind.
var everyRead = map[string]func(*testing.T, *lambdatest.Client) error{
	"a page of users": func(t *testing.T, c *lambdatest.Client) error { _, err := c.ListUsers(t.Context(), 1, 100); return err },
	"a search": func(t *testing.T, c *lambdatest.Client) error {
		_, _, err := c.FindUser(t.Context(), "ada@example.com")
		return err
	},
	"a user": func(t *testing.T, c *lambdatest.Client) error { _, err := c.GetUser(t.Context(), "1"); return err },
	"a page of groups": func(t *testing.T, c *lambdatest.Client) error {
		_, err := c.ListGroups(t.Context(), 1, 100)
		return err
	},
	"a group": func(t *testing.T, c *lambdatest.Client) error { _, err := c.GetGroup(t.Context(), "1"); return err },
}

// bombs are small to send or to keep, and large to decode.
func bombs() map[string]string {
	const size = 15 << 20
	long := func(item string) string { return strings.Repeat(item, size/len(item)) }
	return map[string]string{
		"empty users":     `{"totalResults":1,"Resources":[` + long(`{},`) + `{}]}`,
		"nothings":        `{"totalResults":1,"Resources":[` + long(`null,`) + `null]}`,
		"empty members":   `{"id":"1","displayName":"QA","members":[` + long(`{},`) + `{}]}`,
		"empty schemas":   `{"id":"1","userName":"a","active":true,"schemas":[` + long(`"",`) + `""]}`,
		"unknown lists":   `{"id":"1","x":[` + long(`[],`) + `[]]}`,
		"many fields":     `{` + long(`"a":0,`) + `"a":0}`,
		"nested groups":   `{"totalResults":1,"Resources":[{"id":"1","displayName":"QA","members":[` + long(`{},`) + `{}]}]}`,
		"brackets":        long(`[`),
		"objects inside":  long(`{"a":`),
		"one long string": `{"id":"1","userName":"` + long("a") + `","active":true}`,
	}
}

func TestAnAnswerThatIsABombDoesNotFillTheMemory(t *testing.T) {
	for what, body := range bombs() {
		for which, read := range everyRead {
			t.Run(what+" as "+which, func(t *testing.T) {
				client := answering(t, saying(body))
				var err error
				allocated := allocatedBy(func() { err = read(t, client) })
				if err == nil {
					t.Error("it was believed")
				}
				if allocated > mostForAnAnswer {
					t.Errorf("%d MiB were allocated", allocated>>20)
				}
			})
		}
	}
}

func TestAnAnswerThatIsCompressedIsNeitherAskedForNorUnpacked(t *testing.T) {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = io.WriteString(writer, bombs()["empty users"])
	_ = writer.Close()
	for name, options := range map[string][]lambdatest.Option{"its own client": nil, "another's": {lambdatest.WithHTTPClient(&http.Client{})}} {
		t.Run(name, func(t *testing.T) {
			var asked string
			client := answering(t, func(w http.ResponseWriter, r *http.Request) {
				asked = r.Header.Get("Accept-Encoding")
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(packed.Bytes())
			}, options...)
			var err error
			allocated := allocatedBy(func() { _, err = client.ListUsers(t.Context(), 1, 100) })
			is(t, err, "unavailable")
			if asked != "identity" {
				t.Errorf("Accept-Encoding is %q", asked)
			}
			if allocated > 8<<20 {
				t.Errorf("%d bytes became %d MiB", packed.Len(), allocated>>20)
			}
		})
	}
}

// A refusal needs a sentence. Whatever follows it is not read, and does not change what the status says.
func TestAnAnswerThatRefusesAtLengthIsStillARefusal(t *testing.T) {
	page := "<html>" + strings.Repeat(" ", 15<<20)
	client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, page)
	})
	var err error
	allocated := allocatedBy(func() { _, err = client.GetUser(t.Context(), "1") })
	is(t, err, "unauthorized")
	if allocated > 8<<20 {
		t.Errorf("%d MiB were allocated", allocated>>20)
	}
}

// allocatedBy counts the bytes that do allocates, in all goroutines.
func allocatedBy(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
