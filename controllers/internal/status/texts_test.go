// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"strings"
	"testing"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

func TestShortenedTo(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"short enough", "0123456789", "0123456789"},
		{"too long", "0123456789a", "0123456…"},
		{"a character is not cut", "012345ééééé", "012345…"},
		{"what is no text", "a\xffb", "a\uFFFDb"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Shorten(10, test.text)
			if got != test.want || !utf8.ValidString(got) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAValueThatWasCutIsNeverWhatIsWanted(t *testing.T) {
	longest := strings.Repeat("\U0001F600", 256) // as many characters as a spec takes
	if got := ShownValue(longest); got != longest {
		t.Errorf("a value of a spec was cut to %d bytes", len(got))
	}
}

// The API server refuses an event with a note of more than 1024 bytes.
func TestEventsAreShort(t *testing.T) {
	recorder := events.NewFakeRecorder(1)
	Recorder{recorder}.Eventf(&v1alpha1.LambdaTestUser{}, nil, corev1.EventTypeWarning, "R", "A", "%s 100%%", strings.Repeat("é", maxMessage))
	if got := strings.TrimPrefix(<-recorder.Events, "Warning R "); len(got) > 1024 || !strings.HasSuffix(got, "é…") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}
