// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
)

const ada = "ada@example.com"

// written is a line as a log file of the operator has it.
func written(t *testing.T, addresses bool, line audit.Line, userName string) string {
	t.Helper()
	var out bytes.Buffer
	audit.New(logr.FromSlogHandler(slog.NewJSONHandler(&out, nil)), addresses).Write(line, userName)
	return out.String()
}

func call() audit.Line {
	decided, sent := time.Date(2026, 1, 2, 3, 4, 5, 600e6, time.UTC), time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)
	return audit.Line{
		Event: audit.Called, Namespace: "people", Organization: "default", Resource: "LambdaTestUser/ada", UID: "8f", Account: "12",
		Call: "UpdateUser", Changes: []audit.Change{{Attribute: "active", From: "true", To: "false"}}, Outcome: audit.OutcomeDone,
		Because: []string{"LambdaTestUser/ada"}, Decided: audit.At(decided), Sent: audit.At(sent), Done: audit.At(sent.Add(20 * time.Millisecond)),
	}
}

// What ships the log, and what searches it, relies on each of these names.
func TestALineHasTheDocumentedSchema(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal([]byte(written(t, false, call(), ada)), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "time")
	want := map[string]any{
		"level": "INFO", "msg": "Audit", "logger": "audit", "event": "Called", "namespace": "people", "organization": "default",
		"person": v1alpha1.PersonDigest("default", ada), "resource": "LambdaTestUser/ada", "uid": "8f", "account": "12",
		"call": "UpdateUser", "changes": []any{map[string]any{"attribute": "active", "from": "true", "to": "false"}}, "outcome": "done",
		"because": []any{"LambdaTestUser/ada"}, "decided": "2026-01-02T03:04:05.6Z", "sent": "2026-01-02T03:04:06Z", "done": "2026-01-02T03:04:06.02Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestALineIsReadAsItWasWritten(t *testing.T) {
	want := call()
	want.Person, want.Address = audit.PersonOf("default", ada), ada
	var got audit.Line
	if err := json.Unmarshal([]byte(written(t, true, call(), ada)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestALineHasNoAddressUnlessAsked(t *testing.T) {
	addressed := call()
	addressed.Address = ada
	for name, line := range map[string]string{"of the person": written(t, false, call(), ada), "of the line": written(t, false, addressed, "")} {
		if strings.Contains(line, "@") {
			t.Errorf("the address %s is in %s", name, line)
		}
	}
	if line := written(t, true, call(), ada); !strings.Contains(line, `"address":"`+ada+`"`) {
		t.Errorf("no address in %s", line)
	}
}

func TestTheZeroLogWritesNothing(*testing.T) { audit.Log{}.Write(call(), ada) }
