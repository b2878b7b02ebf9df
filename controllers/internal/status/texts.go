// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Texts that others wrote (annotations, names, what LambdaTest says) come into conditions, status and events only through here: one that
// is too long, or no text, would make the API server refuse the whole write, again and again.

const (
	// maxMessage is what a condition takes of a message: far below what the API server takes, and more than anybody reads.
	maxMessage = 1024
	// maxNote is how many bytes the API server takes in an event.
	maxNote = 1024
	// maxValue is what status takes of a value: more than 256 characters take, which a spec may have, so that what was cut is never taken
	// for what is wanted.
	maxValue = 1100
	// MaxToken is what is repeated of a value that somebody made up.
	MaxToken = 64
	// maxRequest is what status takes of the annotation that asks for a resync.
	maxRequest = 128
)

const ellipsis = "…"

// ShownValue is what status takes of a value that LambdaTest gave.
func ShownValue(value string) string { return Shorten(maxValue, value) }

// Shorten cuts a text to so many bytes, at the border of a character.
func Shorten(bytes int, text string) string {
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	if len(text) <= bytes {
		return text
	}
	end := bytes - len(ellipsis)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

// ResyncRequest is the value of the annotation that asks for a resync, as status repeats it. What is too long for that is told apart by
// its digest.
func ResyncRequest(object client.Object) string {
	requested := object.GetAnnotations()[v1alpha1.ReconcileRequestedAtAnnotation]
	if len(requested) <= maxRequest {
		return requested
	}
	digest := sha256.Sum256([]byte(requested))
	return "sha256:" + hex.EncodeToString(digest[:])
}

// Recorder is a recorder whose events the API server takes.
type Recorder struct{ events.EventRecorder }

// Eventf implements events.EventRecorder.
func (r Recorder) Eventf(regarding, related runtime.Object, kind, reason, action, note string, args ...any) {
	r.EventRecorder.Eventf(regarding, related, kind, reason, action, "%s", Shorten(maxNote, fmt.Sprintf(note, args...)))
}
