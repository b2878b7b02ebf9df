// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
)

// trailOf reads lines as the operator logs them. PERSON stands for the digest of ada, GONE for that of a person without resources.
func trailOf(t *testing.T, lines ...string) *auditTrail {
	t.Helper()
	text := strings.NewReplacer("PERSON", audit.PersonOf(defaultOrganization, "ada@example.com"), "GONE", audit.PersonOf(defaultOrganization, "gone@example.com"),
		`{"event"`, `{"level":"INFO","msg":"Audit","logger":"audit","namespace":"default","organization":"default","event"`).Replace(strings.Join(lines, "\n"))
	trail, err := readAudit(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return trail
}

func TestLeavers(t *testing.T) {
	now := metav1.NewTime(fired.Add(time.Hour))
	first := `{"event":"TokenUsed","time":"2025-12-01T00:00:00Z"}`
	for _, test := range []struct {
		name   string
		claims []*v1alpha1.LambdaTestUser
		lines  []string
		want   []string // who, asked, stored, off, seconds, reason
		says   string
	}{
		{name: "nobody", want: nil, says: "0 leavers since"},
		{name: "a person who is off, by resources", claims: []*v1alpha1.LambdaTestUser{claim("ada", denying, off)},
			want: []string{"ada@example.com|2026-02-01T08:00:00Z||2026-02-01T08:00:03Z|3|"}, says: "The slowest was ada@example.com, after 3 s."},
		{name: "a person who is still active", claims: []*v1alpha1.LambdaTestUser{claim("ada", denying, ready(v1alpha1.DeniedButActiveReason, ""))},
			want: []string{"ada@example.com|2026-02-01T08:00:00Z||STILL ACTIVE|3600 TOO LATE|DeniedButActive"}, says: "STILL ACTIVE, or may be: ada@example.com."},
		{name: "a person whose last resource is being deleted, and whom the guard holds",
			claims: []*v1alpha1.LambdaTestUser{claim("ada", deleting, ready(v1alpha1.DeprovisionHeldReason, ""))},
			want:   []string{"ada@example.com|2026-02-01T08:00:00Z||STILL ACTIVE|3600 TOO LATE|DeprovisionHeld"}},
		{name: "a person who left before, and is off", claims: []*v1alpha1.LambdaTestUser{claim("ada", denying, off, func(user *v1alpha1.LambdaTestUser) {
			user.Status.DeniedAt, user.Status.OffAt = new(metav1.NewTime(hired.Add(-time.Second))), &hired
		})}, want: nil},
		{name: "the same denial in resources and lines is one row, with the times of both", claims: []*v1alpha1.LambdaTestUser{claim("ada", denying, off)},
			lines: []string{first,
				`{"event":"Denied","time":"2026-02-01T08:00:00.5Z","person":"PERSON","decided":"2026-02-01T08:00:00Z"}`,
				`{"event":"Called","time":"2026-02-01T08:00:02Z","person":"PERSON","call":"UpdateUser","outcome":"unknown","changes":[{"attribute":"active","to":"false"}],"decided":"2026-02-01T08:00:00Z","done":"2026-02-01T08:00:02Z"}`,
				`{"event":"Called","time":"2026-02-01T08:00:03Z","person":"PERSON","call":"UpdateUser","outcome":"done","changes":[{"attribute":"active","to":"false"}],"decided":"2026-02-01T08:00:00Z","done":"2026-02-01T08:00:03.25Z"}`,
			}, want: []string{"ada@example.com|2026-02-01T08:00:00Z|2026-02-01T08:00:00Z|2026-02-01T08:00:03Z|3.25|"}},
		{name: "a person whose resources are gone, without an address", lines: []string{first,
			`{"event":"Denied","time":"2026-02-01T08:00:01Z","person":"GONE","decided":"2026-02-01T08:00:00Z"}`,
			`{"event":"DenialDone","time":"2026-02-01T08:02:00Z","person":"GONE","decided":"2026-02-01T08:00:00Z","done":"2026-02-01T08:02:00Z"}`,
			`{"event":"DenialEnded","time":"2026-02-01T08:30:00Z","person":"GONE","decided":"2026-02-01T08:00:00Z"}`},
			want: []string{"person GONE|2026-02-01T08:00:00Z|2026-02-01T08:00:01Z|2026-02-01T08:02:00Z|120 TOO LATE|"}, says: "NOT within 1m0s: person GONE."},
		{name: "the last resource was deleted", lines: []string{first,
			`{"event":"Called","time":"2026-02-01T08:00:09Z","person":"GONE","address":"gone@example.com","call":"DeactivateUser","outcome":"done","changes":[{"attribute":"active","from":"true","to":"false"}],"decided":"2026-02-01T08:00:00Z","done":"2026-02-01T08:00:09Z"}`},
			want: []string{"gone@example.com|2026-02-01T08:00:00Z||2026-02-01T08:00:09Z|9|"}},
		{name: "a denial that was taken back before the account was off", lines: []string{first,
			`{"event":"Denied","time":"2026-02-01T08:00:00Z","person":"GONE","decided":"2026-02-01T08:00:00Z"}`,
			`{"event":"DenialEnded","time":"2026-02-01T08:00:10Z","person":"GONE","decided":"2026-02-01T08:00:00Z"}`},
			want: []string{"person GONE|2026-02-01T08:00:00Z|2026-02-01T08:00:00Z||10|taken back before the account was off"}},
		{name: "a second denial of a person who is off takes nothing away", lines: []string{first,
			`{"event":"DenialDone","time":"2026-02-01T08:00:02Z","person":"GONE","decided":"2026-02-01T08:00:00Z","done":"2026-02-01T08:00:02Z"}`,
			`{"event":"DenialDone","time":"2026-02-01T08:20:00Z","person":"GONE","decided":"2026-02-01T08:20:00Z","done":"2026-02-01T08:20:00Z"}`},
			want: []string{"person GONE|2026-02-01T08:00:00Z||2026-02-01T08:00:02Z|2|"}},
		{name: "a person who came back and left again left twice", lines: []string{first,
			`{"event":"DenialDone","time":"2026-02-01T08:00:02Z","person":"GONE","decided":"2026-02-01T08:00:00Z","done":"2026-02-01T08:00:02Z"}`,
			`{"event":"DenialEnded","time":"2026-02-01T08:10:00Z","person":"GONE","decided":"2026-02-01T08:00:00Z"}`,
			`{"event":"DenialDone","time":"2026-02-01T08:20:00Z","person":"GONE","decided":"2026-02-01T08:20:00Z","done":"2026-02-01T08:20:00Z"}`},
			want: []string{"person GONE|2026-02-01T08:00:00Z||2026-02-01T08:00:02Z|2|", "person GONE|2026-02-01T08:20:00Z||2026-02-01T08:20:00Z|0|"}},
		{name: "another organization of the same log", lines: []string{first,
			strings.Replace(`{"event":"Denied","time":"2026-02-01T08:00:00Z","person":"GONE","decided":"2026-02-01T08:00:00Z"}`, `"event"`, `"organization":"other","logger":"audit","namespace":"default","event" `, 1)},
			want: nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			read := rosterOf(nil, test.claims...)
			read.asOf = now
			var trail *auditTrail
			if test.lines != nil {
				trail = trailOf(t, test.lines...)
			}
			found := leaversOf(read, trail, hired.Time, time.Minute)
			var got []string
			for _, row := range found.sheet().rows {
				got = append(got, strings.ReplaceAll(strings.Join([]string{row[1], row[3], row[4], row[5], row[6], row[7]}, "|"),
					audit.PersonOf(defaultOrganization, "gone@example.com"), "GONE"))
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
			var out bytes.Buffer
			found.summary(&out)
			says := strings.ReplaceAll(test.says, "GONE", audit.PersonOf(defaultOrganization, "gone@example.com"))
			if !strings.Contains(out.String(), says) {
				t.Errorf("does not say %q:\n%s", says, out.String())
			}
		})
	}
}

func TestAnIncompleteListOfLeaversIsNeverShownAsComplete(t *testing.T) {
	for _, test := range []struct {
		name     string
		trail    []string
		complete bool
		says     string
	}{
		{"without an audit trail", nil, false, "NOT COMPLETE: only resources were read"},
		{"an audit trail that begins later", []string{`{"event":"TokenUsed","time":"2026-01-15T00:00:00Z"}`}, false, "COMPLETE ONLY FROM 2026-01-15T00:00:00Z ON"},
		{"an audit trail with a line that was cut", []string{`{"event":"TokenUsed","time":"2025-12-31T00:00:00Z"}`, `{"event":"Denied","time":"2026-`}, false, "1 line of the audit trail could not be read"},
		{"an audit trail that covers the time", []string{`{"event":"TokenUsed","time":"2025-12-31T00:00:00Z"}`}, true, "The audit trail has lines from 2025-12-31T00:00:00Z to"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var trail *auditTrail
			if test.trail != nil {
				trail = trailOf(t, test.trail...)
			}
			found := leaversOf(rosterOf(nil), trail, hired.Time, 0)
			var out bytes.Buffer
			found.summary(&out)
			if found.Complete != test.complete || !strings.Contains(out.String(), test.says) {
				t.Errorf("complete: %t\n%s", found.Complete, out.String())
			}
		})
	}
}

func TestAnAuditTrailIsReadFromLogsWithOtherLines(t *testing.T) {
	trail, err := readAudit(strings.NewReader(`Defaulted container "manager"
[pod/operator-1/manager] {"time":"2026-02-01T08:00:00Z","logger":"audit","event":"Denied","organization":"default"}
{"time":"2026-02-01T07:00:00Z","logger":"controller","msg":"about the audit"}
{"time":"2026-02-01T09:00:00.5Z","logger":"audit","event":"DenialDone","organization":"default"}
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(trail.lines) != 2 || trail.unread != 0 || trail.first.Hour() != 8 || trail.last.Hour() != 9 {
		t.Errorf("read %+v", trail)
	}
	if _, err := readAudit(strings.NewReader("{\"logger\":\"manager\"}\n")); err == nil || !strings.Contains(err.Error(), "there is no audit line") {
		t.Errorf("a log without audit lines: %v", err)
	}
}

func TestATimeInThePast(t *testing.T) {
	now := fired.Time
	for text, want := range map[string]string{
		"90d": "2025-11-03T08:00:00Z", "12h": "2026-01-31T20:00:00Z", "2026-01-31": "2026-01-31T00:00:00Z", "2026-01-31T08:00:00+02:00": "2026-01-31T06:00:00Z",
	} {
		var when pastTime
		if err := when.Set(text); err != nil || when.at(now).UTC().Format(time.RFC3339) != want {
			t.Errorf("%s is %s, want %s (%v)", text, when.at(now), want, err)
		}
	}
	for _, text := range []string{"", "yesterday", "0d", "-5d", "-1h", "0s", "2999-01-01", "31.01.2026", "99999999d"} {
		if err := new(pastTime).Set(text); err == nil || !strings.Contains(err.Error(), "must be how long ago") {
			t.Errorf("%s is accepted: %v", text, err)
		}
	}
}
