// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/controllers/person"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
)

// hostileTexts are what somebody may put into a name: they erase a line, set the title, fill the clipboard, begin a line of their own,
// and turn round what is read.
var hostileTexts = []string{
	"\x1b[2K\x1b[1A", "\x1b]0;title\a", "\x1b]52;c;Y3VybA==\a", "\u009b2K", "a\r\nbob@example.com   update   role: Guest → Admin",
	"a\nType yes: yes", "a\tb", "\u202egnp.exe", "\u2066x\u2069", "\u200b\ufeff", "\u2028\u2029", "\x7f\x00", "\xff\xfe", "\U000e0041",
}

// expectPlain fails unless what was printed has as many lines as expected and nothing that a terminal would act on.
func expectPlain(t *testing.T, printed string, lines int) {
	t.Helper()
	for _, char := range printed {
		if char != '\n' && !unicode.IsGraphic(char) || !utf8.ValidString(printed) {
			t.Errorf("%q has %U", printed, char)
			return
		}
	}
	if found := strings.Count(printed, "\n"); lines >= 0 && found != lines {
		t.Errorf("%q has %d lines, expected %d", printed, found, lines)
	}
}

func TestNothingThatIsPrintedMovesTheTerminal(t *testing.T) {
	for _, text := range hostileTexts {
		held := &v1alpha1.HeldSet{Token: text, Count: 1}
		line := organizationReport{Namespace: text, Name: text, Ready: text, Reason: text, Message: text, Held: held, PendingDenials: 1,
			Unclaimed: 1, Warnings: []warning{{Reason: text, Message: text}}}
		row := personRow{
			Namespace: text, Organization: text, UserName: text, AccountID: text, Active: new(true), Role: text, Denied: true, DeniedBy: text, RoleBy: text,
			Reason: text, Message: text, Refused: true, Claims: []claimRow{{Resource: text, Denies: true, Counts: true, By: text, Why: text, Role: text}},
		}
		for name, printing := range map[string]struct {
			lines int
			print func(io.Writer) error
		}{
			"a table": {2, func(out io.Writer) error { return printTable(out, []string{"A", "B"}, [][]string{{text, "b"}}) }},
			"a plan": {4, func(out io.Writer) error {
				change := v1alpha1.PlannedChange{Attribute: "concurrencyGroup", From: text, To: text}
				made := &plan{Changes: []planned{{UserName: text, Action: person.ActionUpdate, Changes: []v1alpha1.PlannedChange{change}, Because: text}}}
				return made.table(out)
			}},
			"a question": {0, func(out io.Writer) error {
				confirmed(strings.NewReader(""), out, "Send it to %s?", text)
				return nil
			}},
			"what else a plan says": {-1, func(out io.Writer) error {
				made := &plan{Admins: []string{text}, StillDenied: []stillDenied{{text, text, text}}, Refused: []refusedManifest{{text, text}}, Unchecked: text}
				return made.table(out)
			}},
			"leavers": {-1, func(out io.Writer) error {
				return (&leavers{People: []leaverRow{{UserName: text, By: text, Reason: text}}, Missing: text}).table(out)
			}},
			"a review": {-1, func(out io.Writer) error {
				made := &review{Cluster: text, Namespace: text, People: []personRow{row}, Compared: &comparison{Changes: []accessChange{{UserName: text, By: text}}, NotCompared: []string{text}}}
				return made.table(out)
			}},
			"the page of a review": {-1, func(out io.Writer) error {
				return (&review{Cluster: text, Namespace: text, People: []personRow{row}}).html(out)
			}},
			"what is held": {-1, func(out io.Writer) error {
				return showHeld(out, &v1alpha1.LambdaTestOrganization{}, held, []heldRow{{heldEntry: parseHeld(text), userNames: []string{text}, role: text}}, 0)
			}},
			"what is said of an organization": {-1, func(out io.Writer) error { line.explain(out); return nil }},
			"tokens":                          {2, func(out io.Writer) error { return tokenTable(out, []tokenLine{{Key: text, State: text}}) }},
			"an error": {1, func(out io.Writer) error {
				PrintError(out, errors.New("finding "+strings.ReplaceAll(text, "\n", " ")))
				return nil
			}},
			"status": {-1, func(out io.Writer) error {
				found := report{DeniedButActive: []personRow{row}, Refused: []personRow{row}, Held: []heldBlock{{Namespace: text, Token: text, People: []string{text}}},
					Problems: []problem{{Resource: text, Message: text}}, Organizations: []organizationReport{line}}
				return found.table(out, text)
			}},
			"who": {5, func(out io.Writer) error {
				return (&listing{People: []personRow{row}, Unclaimed: []unclaimedNote{{Note: text}}}).table(out)
			}},
			"why": {-1, func(out io.Writer) error {
				explained := (&roster{namespace: text}).explain(row)
				explained.print(out)
				return nil
			}},
			"csv": {2, func(out io.Writer) error { return whoSheet([]personRow{row}).printCSV(out) }},
			"json": {-1, func(out io.Writer) error {
				form := output("json")
				return form.print(out, line, nil)
			}},
			"yaml": {-1, func(out io.Writer) error {
				form := output("yaml")
				return form.print(out, line, nil)
			}},
			"manifests": {-1, func(out io.Writer) error {
				return writeStream(out, []exported{manifestOf(text, specOfAccount(lambdatest.User{UserName: text, ConcurrencyGroup: text}))})
			}},
		} {
			var out bytes.Buffer
			if err := printing.print(&out); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			t.Run(name, func(t *testing.T) { expectPlain(t, out.String(), printing.lines) })
		}
	}
}

// An error may have several lines, as one of a strict decoder has. They are indented, so that none of them looks like a line of its own.
func TestAnErrorOfSeveralLinesIsOneParagraph(t *testing.T) {
	var out bytes.Buffer
	PrintError(&out, errors.Join(errors.New("a\x1b[2K"), errors.New("type yes")))
	if expected := "Error: a\\x1b[2K\n  type yes\n"; out.String() != expected {
		t.Errorf("printed %q, expected %q", out.String(), expected)
	}
}

func TestEscapedOutputSaysTheSameToAProgram(t *testing.T) {
	for _, text := range hostileTexts {
		if strings.Contains(text, "\xff") {
			continue // no JSON can say it
		}
		for _, form := range []output{"json", "yaml"} {
			var out bytes.Buffer
			if err := form.print(&out, warning{Message: text}, nil); err != nil {
				t.Fatal(err)
			}
			decode := func(into any) error { return yaml.Unmarshal(out.Bytes(), into) }
			if form == "json" {
				decode = func(into any) error { return json.Unmarshal(out.Bytes(), into) }
			}
			var read warning
			if err := decode(&read); err != nil || read.Message != text {
				t.Errorf("%s: %q becomes %q (%v)", form, text, read.Message, err)
			}
		}
	}
}

func TestPlainTextIsPrintedAsItIs(t *testing.T) {
	for _, text := range []string{"Ada Lovelace", "Жанна", "straße", "陳", "role: Guest → Admin", `a\b`, "…", "a b\u00a0c", "😀", "e\u0301"} {
		if shown := printable(text); shown != text {
			t.Errorf("%q is shown as %q", text, shown)
		}
	}
}
