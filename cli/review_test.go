// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// reviewed is the review of an organization with those people, whose unclaimed accounts are listed.
func reviewed(rows ...personRow) *review {
	for i := range rows {
		rows[i].Organization = defaultOrganization
	}
	return reviewOf(rosterOf(nil), rows, []unclaimedNote{{Organization: defaultOrganization, Listed: true, Note: "All are listed."}}, "https://cluster")
}

func reviewedPerson(name, role string, active bool) personRow {
	return personRow{UserName: name, Role: role, Active: &active, RoleBy: "LambdaTestUser/" + name, Declared: true}
}

func TestAReviewShowsAdminsFirstAndMarksWhatNoResourceDecides(t *testing.T) {
	undeclared := reviewedPerson("undeclared", "Admin", true)
	undeclared.RoleBy = ""
	shadow := reviewedPerson("shadow", "Admin", true)
	shadow.Unclaimed, shadow.Declared, shadow.RoleBy = true, false, ""
	provided := reviewedPerson("provided", "User", true)
	provided.Declared = false
	pending := reviewedPerson("pending", "User", true)
	pending.Denied = true
	refused := reviewedPerson("refused", "User", true)
	refused.Refused = true
	held := reviewedPerson("held", "User", true)
	held.Reason = v1alpha1.DeprovisionHeldReason
	made := reviewed(reviewedPerson("former", "Admin", false), provided, pending, refused, held, undeclared, shadow, reviewedPerson("declared", "Admin", true), reviewedPerson("guest", "Guest", true))

	var got []string
	for _, row := range made.sheet().rows {
		got = append(got, row[1]+": "+row[7])
	}
	want := []string{
		"undeclared: role undeclared", "shadow: unclaimed", "declared: ", "provided: provider only", "pending: denied but active", "refused: refused", "held: held", "guest: ", "former: ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if line := made.Organizations[0]; line.Admins != 3 || line.CanSignIn != 8 {
		t.Errorf("%d can sign in, %d as Admin", line.CanSignIn, line.Admins)
	}
}

func TestTwoReviewsSayWhoGainedAndLostWhat(t *testing.T) {
	custom := "Lead"
	old := reviewed(reviewedPerson("stays", "User", true), reviewedPerson("promoted", "User", true), reviewedPerson("demoted", "Admin", true), reviewedPerson("left", "Admin", true),
		reviewedPerson("gone", "User", true), reviewedPerson("returns", "Guest", false), reviewedPerson("other", "User", true))
	now := reviewed(reviewedPerson("STAYS", "User", true), reviewedPerson("promoted", "Admin", true), reviewedPerson("demoted", "User", true), reviewedPerson("left", "Admin", false),
		reviewedPerson("returns", "Guest", true), reviewedPerson("new", "Admin", true), reviewedPerson("never", "User", false), reviewedPerson("other", custom, true))
	var got []string
	for _, each := range compare(old, now).Changes {
		got = append(got, strings.Join([]string{each.UserName, string(each.Change), each.From, each.To}, "|"))
	}
	want := []string{
		"promoted|gained role|User|Admin", "new|gained access||Admin", "demoted|lost role|Admin|User", "other|changed role|User|Lead", "returns|gained access||Guest",
		"left|lost access|Admin|", "gone|lost access|User|",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatOneReviewDoesNotListIsNoDifference(t *testing.T) {
	shadow := reviewedPerson("shadow", "Admin", true)
	shadow.Unclaimed = true
	old, now := reviewed(shadow), reviewed()
	if changes := compare(old, now).Changes; len(changes) != 1 {
		t.Errorf("an unclaimed account that both would list is gone: %v", changes)
	}
	now.Organizations[0].Listed = false
	for _, made := range []*comparison{compare(old, now), compare(now, old)} {
		if len(made.Changes) != 0 || len(made.NotCompared) != 1 || !strings.Contains(made.NotCompared[0], "are not compared") {
			t.Errorf("%+v", made)
		}
	}
	elsewhere := reviewed(reviewedPerson("ada", "User", true))
	elsewhere.Namespace = "other"
	if made := compare(elsewhere, reviewed(reviewedPerson("bob", "User", true))); len(made.Changes) != 0 || !strings.Contains(made.NotCompared[0], "is not compared") {
		t.Errorf("another namespace: %+v", made)
	}
}

func TestAnOlderReviewIsReadBack(t *testing.T) {
	made := reviewed(reviewedPerson("ada", "Admin", true))
	content, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "old.json")
	write(t, path, string(content))
	read, err := readReview(path)
	if err != nil {
		t.Fatal(err)
	}
	if changes := compare(read, made).Changes; len(changes) != 0 || !read.Organizations[0].Listed {
		t.Errorf("a review differs from itself: %v", changes)
	}
	for name, content := range map[string]string{"a table": "ORGANIZATION  USERNAME", "another document": `{"people":[]}`} {
		write(t, path, content)
		if _, err := readReview(path); err == nil || !strings.Contains(err.Error(), "is not an older review, as") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := readReview(filepath.Join(t.TempDir(), "missing.json")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestThePageOfAReviewIsSelfContainedAndEscaped(t *testing.T) {
	evil := reviewedPerson(`<script>alert(1)</script>`+"\u202egnp", "Admin", true)
	evil.Unclaimed = true
	made := reviewed(evil, reviewedPerson("bob", "User", true), reviewedPerson("off", "User", false))
	made.Compared = &comparison{Since: metav1.NewTime(fired.Add(-time.Hour)), Changes: []accessChange{{UserName: "<b>", Change: gainedAccess}}}
	var out bytes.Buffer
	if err := made.html(&out); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, part := range []string{
		"&lt;script&gt;alert(1)&lt;/script&gt;\\u202egnp", "Admins who can sign in", "Other people who can sign in", "People who cannot sign in",
		"Gained and lost since the review of 2026-02-01T07:00:00Z", `<td class="mark">unclaimed</td>`, "All are listed.", "☐ keep ☐ remove", "as of 2026-02-01T08:00:00Z",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	for _, part := range []string{"<script", "src=", "href=", "url(", "@import", "<b>"} {
		if strings.Contains(page, part) {
			t.Errorf("the page has %q", part)
		}
	}
}
