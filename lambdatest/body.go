// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
)

// body reads the answer to a call. It counts what passes, and ends an answer that is longer, deeper or more finely divided than any of
// LambdaTest's before a decoder sees the rest: an element of two bytes would be a hundred bytes in memory.
type body struct {
	from     io.Reader
	maxBytes int
	// wait is called once, before more than smallAnswerBytes are read.
	wait func() error

	bytes, elements, depth int
	inString, escaped      bool

	// excess names the bound that was passed, if one was.
	excess string
	// broken is the error of the connection, if it failed.
	broken error
}

var errExcess = errors.New("the answer is beyond a bound")

// Read implements io.Reader.
func (b *body) Read(into []byte) (int, error) {
	if b.excess != "" {
		return 0, errExcess
	}
	if b.bytes > smallAnswerBytes && b.wait != nil {
		if b.broken = b.wait(); b.broken != nil {
			return 0, b.broken
		}
		b.wait = nil
	}
	size, err := b.from.Read(into)
	if err != nil && !errors.Is(err, io.EOF) {
		b.broken = err
	}
	if b.excess = b.count(into[:size]); b.excess != "" {
		return 0, errExcess
	}
	return size, err
}

// count looks at the structure of JSON without decoding it. What it takes for structure in something that is no JSON does not matter: a
// decoder refuses that.
func (b *body) count(part []byte) string {
	b.bytes += len(part)
	for _, char := range part {
		switch {
		case b.escaped:
			b.escaped = false
		case b.inString:
			b.escaped, b.inString = char == '\\', char != '"'
		case char == '"':
			b.inString = true
		case char == '{' || char == '[':
			b.elements, b.depth = b.elements+1, b.depth+1
		case char == ',':
			b.elements++
		case char == '}' || char == ']':
			b.depth--
		}
		if b.depth > maxAnswerDepth {
			return "the answer is nested deeper than any LambdaTest gives"
		}
	}
	switch {
	case b.bytes > b.maxBytes:
		return "the answer is larger than any LambdaTest gives"
	case b.elements > maxAnswerElements:
		return "the answer has more elements than any LambdaTest gives"
	}
	return ""
}

// streamed is a value that decodes itself piece by piece, so that it is never in memory as a whole and as text.
type streamed interface {
	decode(from *json.Decoder) error
}

// decode reads exactly one JSON value. It is the only function that decodes an answer that was believed.
func decode(from *body, into any) error {
	decoder := json.NewDecoder(from)
	err := decodeValue(decoder, into)
	if err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("something follows the value"), err)
	}
	return nil
}

func decodeValue(decoder *json.Decoder, into any) error {
	if piecewise, ok := into.(streamed); ok {
		return piecewise.decode(decoder)
	}
	return decoder.Decode(into)
}

// decodeFields decodes an object; field decodes the value of one name.
func decodeFields(from *json.Decoder, field func(name string) error) error {
	if err := expect(from, '{'); err != nil {
		return err
	}
	for from.More() {
		token, err := from.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if err := field(name); err != nil {
			return err
		}
	}
	return expect(from, '}')
}

func expect(from *json.Decoder, delimiter json.Delim) error {
	token, err := from.Token()
	if err == nil && token != delimiter {
		err = errors.New("another value was expected")
	}
	return err
}

// skipped is a value that nobody reads.
type skipped struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*skipped) UnmarshalJSON([]byte) error { return nil }

// largeAnswers has the large answers that are being read from each host, by all clients together. Each client reads one at a time. A host
// has room of its own: one that answers slowly, on purpose even, keeps no organization at another host waiting. There are few hosts, because
// a flag names them.
var largeAnswers = rooms{byHost: map[string]chan struct{}{}}

type rooms struct {
	mu     sync.Mutex
	byHost map[string]chan struct{}
}

// of returns the room of a host.
func (r *rooms) of(host string) chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	host = strings.ToLower(host)
	if r.byHost[host] == nil {
		r.byHost[host] = make(chan struct{}, maxLargeAnswers)
	}
	return r.byHost[host]
}

// turns holds back answers beyond smallAnswerBytes: a process has room for a few.
type turns struct {
	// own is the room of the client, and host the one of its host.
	own, host chan struct{}
	held      int
}

// wait returns when an answer may go on, or ctx has ended.
func (t *turns) wait(ctx context.Context) error {
	for _, room := range []chan struct{}{t.own, t.host} {
		select {
		case room <- struct{}{}:
			t.held++
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// done lets the next one go on. It may be called without a wait.
func (t *turns) done() {
	for _, room := range []chan struct{}{t.own, t.host}[:t.held] {
		<-room
	}
	t.held = 0
}

// isCompressed tells whether an answer is packed, although nobody asked for that.
func isCompressed(encoding string) bool {
	return encoding != "" && !strings.EqualFold(encoding, "identity")
}
