// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

func saying(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
}

func TestAnAnswerAboutAUserThatCannotBeTrueIsNoAnswer(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":               ``,
		"null":                  `null`,
		"a list":                `[]`,
		"an empty object":       `{}`,
		"HTML":                  `<html></html>`,
		"half an answer":        `{"id":"23123","userName":"ada@exam`,
		"two answers":           `{"id":"23123","userName":"ada@example.com","active":true}{}`,
		"no id":                 `{"userName":"ada@example.com","active":true}`,
		"a number for id":       `{"id":23123,"userName":"ada@example.com","active":true}`,
		"a path for id":         `{"id":"../23123","userName":"ada@example.com","active":true}`,
		"another id":            `{"id":"23124","userName":"ada@example.com","active":true}`,
		"no userName":           `{"id":"23123","active":true}`,
		"no active":             `{"id":"23123","userName":"ada@example.com"}`,
		"active as a word":      `{"id":"23123","userName":"ada@example.com","active":"yes"}`,
		"a group":               `{"id":"23123","displayName":"QA"}`,
		"an error said with OK": `{"status":"404","detail":"no such user"}`,
		"a bomb of brackets":    strings.Repeat(`{"a":`, 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			client := answering(t, saying(body))

			_, err := client.GetUser(t.Context(), "23123")
			is(t, err, "unavailable")

			_, err = client.UpdateUser(t.Context(), "23123", lambdatest.UserChange{Active: new(bool)})
			is(t, err, "unavailable", "unknown")
		})
	}
}

func TestAListThatContradictsItselfIsNoAnswer(t *testing.T) {
	const a, b = `{"id":"1","userName":"a@example.com","active":true}`, `{"id":"2","userName":"b@example.com","active":true}`
	for name, body := range map[string]string{
		"no totals":                `{"Resources":[]}`,
		"negative totals":          `{"totalResults":-1,"Resources":[]}`,
		"totals as text":           `{"totalResults":"1","Resources":[` + a + `]}`,
		"totals without end":       `{"totalResults":9000000000000000000,"Resources":[` + a + `,` + b + `]}`,
		"totals below the page":    `{"totalResults":1,"Resources":[` + a + `,` + b + `]}`,
		"an empty page":            `{"totalResults":5,"Resources":[]}`,
		"no page":                  `{"totalResults":5}`,
		"another page":             `{"totalResults":5,"startIndex":3,"Resources":[` + a + `]}`,
		"more than was asked for":  `{"totalResults":5,"Resources":[` + a + `,` + b + `,{"id":"3","userName":"c@example.com","active":true}]}`,
		"somebody twice":           `{"totalResults":5,"Resources":[` + a + `,` + a + `]}`,
		"a user without id":        `{"totalResults":5,"Resources":[{"userName":"a@example.com","active":true}]}`,
		"a user that is null":      `{"totalResults":5,"Resources":[null]}`,
		"an object for a list":     `{"totalResults":5,"Resources":{}}`,
		"HTML":                     `<html></html>`,
		"a user instead of a list": a,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := answering(t, saying(body)).ListUsers(t.Context(), 1, 2)
			is(t, err, "unavailable")
		})
	}
}

// A sweep uses what a list shows that contradicts itself. What is no list shows nothing.
func TestOnlyAListCanContradictItself(t *testing.T) {
	for body, want := range map[string]bool{
		`{}`:                                false,
		`{"status":"ok"}`:                   false,
		`{"Resources":[]}`:                  false,
		`<html></html>`:                     false,
		`{"totalResults":5,"Resources":[]}`: true,
	} {
		_, err := answering(t, saying(body)).ListUsers(t.Context(), 1, 2)
		if got := lambdatest.IsContradiction(err); err == nil || got != want {
			t.Errorf("%s contradicts itself: %t, want %t (%v)", body, got, want, err)
		}
	}
}

func TestASearchThatFindsSomethingElseFindsNothing(t *testing.T) {
	const a, b = `{"id":"1","userName":"a@example.com","active":true}`, `{"id":"2","userName":"b@example.com","active":true}`
	for name, body := range map[string]string{
		"somebody else":        `{"totalResults":1,"Resources":[` + b + `]}`,
		"two":                  `{"totalResults":2,"Resources":[` + a + `,` + b + `]}`,
		"one of many":          `{"totalResults":9,"Resources":[` + a + `]}`,
		"none, but counts one": `{"totalResults":1,"Resources":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, found, err := answering(t, saying(body)).FindUser(t.Context(), "a@example.com")
			is(t, err, "unavailable")
			if found {
				t.Error("the client accepted it")
			}
		})
	}
}

func TestACreationThatShowsSomebodyElseIsUnknown(t *testing.T) {
	client := answering(t, saying(`{"id":"2","userName":"b@example.com","active":true}`))

	_, err := client.CreateUser(t.Context(), ada())

	is(t, err, "unavailable", "unknown")
}

func TestAGroupThatCannotBeTrueIsNoAnswer(t *testing.T) {
	for name, body := range map[string]string{
		"no id":               `{"displayName":"QA"}`,
		"another id":          `{"id":"8","displayName":"QA"}`,
		"no name":             `{"id":"7"}`,
		"a member without id": `{"id":"7","displayName":"QA","members":[{"display":"a@example.com"}]}`,
		"a name for members":  `{"id":"7","displayName":"QA","members":"all"}`,
		"roles as text":       `{"id":"7","displayName":"QA","urn:ietf:params:scim:schemas:extension:LambdaTest:2.0:Group":{"LambdatestRoles":"Admin"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := answering(t, saying(body)).GetGroup(t.Context(), "7")
			is(t, err, "unavailable")
		})
	}
}

func TestAnAnswerThatNeverEndsIsCutOff(t *testing.T) {
	client := answering(t, func(w http.ResponseWriter, r *http.Request) {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})

	_, err := client.GetUser(t.Context(), "23123")

	is(t, err, "unavailable")
}

func TestTheLiesOfTheSimulatorAreCaught(t *testing.T) {
	for name, lie := range map[string]simulator.Switches{
		"another's id":       {WrongIDs: true},
		"no id":              {MissingIDs: true},
		"somebody else":      {SomebodyElse: true},
		"a total too low":    {WrongTotals: -1},
		"a total of one too": {WrongTotals: 1},
	} {
		t.Run(name, func(t *testing.T) {
			sim, client := connected(t, simulator.Population(2))
			account := sim.Accounts()[0]
			sim.Switch(func(s *simulator.Switches) { *s = lie })

			_, getErr := client.GetUser(t.Context(), account.ID)
			_, found, findErr := client.FindUser(t.Context(), account.UserName)

			if found && findErr == nil && getErr == nil {
				t.Error("nobody noticed")
			}
		})
	}
}
