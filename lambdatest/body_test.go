// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// A host that answers all calls of an organization at length, or slowly, costs the process one long answer, and keeps nobody else waiting.
func TestAnAnswerThatIsLongWaitsForTheOneBefore(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var all rooms
	all.byHost = map[string]chan struct{}{}
	host := all.of("scim.example.com")
	one, other := make(chan struct{}, 1), make(chan struct{}, 1)
	first, second, others := turns{own: one, host: host}, turns{own: one, host: host}, turns{own: other, host: host}
	if err := first.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := second.wait(over); !errors.Is(err, context.Canceled) {
		t.Errorf("a second answer of the same organization did not wait: %v", err)
	}
	second.done()
	if err := others.wait(t.Context()); err != nil {
		t.Errorf("another organization waited: %v", err)
	}
	third := turns{own: make(chan struct{}, 1), host: all.of("SCIM.example.com")}
	if err := third.wait(over); !errors.Is(err, context.Canceled) {
		t.Errorf("the process has room for more than %d of a host: %v", maxLargeAnswers, err)
	}
	elsewhere := turns{own: make(chan struct{}, 1), host: all.of("auth.lambdatest.com")}
	if err := elsewhere.wait(t.Context()); err != nil {
		t.Errorf("an organization at another host waited: %v", err)
	}
	for _, each := range []*turns{&first, &others, &third, &elsewhere} {
		each.done()
	}
	if left := len(one) + len(other) + len(third.own) + len(elsewhere.own) + len(host) + len(elsewhere.host); left != 0 {
		t.Errorf("%d turns were not given back", left)
	}
}

func TestAnAnswerThatIsShortDoesNotWait(t *testing.T) {
	for size, expected := range map[int]bool{smallAnswerBytes / 2: false, 2 * smallAnswerBytes: true} {
		waited := false
		answer := &body{from: strings.NewReader(strings.Repeat(" ", size)), maxBytes: maxAnswerBytes, wait: func() error { waited = true; return nil }}
		if _, err := io.Copy(io.Discard, answer); err != nil || waited != expected {
			t.Errorf("%d bytes: waited %t, want %t (%v)", size, waited, expected, err)
		}
	}
}

func TestAnAnswerThatHasBracketsInTextIsNotCountedByThem(t *testing.T) {
	text := `{"a":"` + strings.Repeat(`[{,\\\"`, maxAnswerElements/2) + `"}`
	var into struct{ A string }
	if err := decode(&body{from: strings.NewReader(text), maxBytes: maxAnswerBytes}, &into); err != nil || !strings.HasPrefix(into.A, `[{,\"[{`) {
		t.Errorf("read %.10q: %v", into.A, err)
	}
}

func TestAnAnswerThatIsReallyLargeIsRead(t *testing.T) {
	const members = 150_000
	var group wireGroup
	text := `{"id":"1","members":[` + strings.TrimSuffix(strings.Repeat(`{"value":"1000000","display":"somebody@example.com"},`, members), ",") + `]}`
	if err := decode(&body{from: strings.NewReader(text), maxBytes: maxAnswerBytes}, &group); err != nil || len(group.Members) != members {
		t.Errorf("%d members of %d: %v", len(group.Members), members, err)
	}
}
