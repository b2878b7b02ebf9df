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

// Texts from outside (annotations, names, LambdaTest's answers) come into conditions, status and events only through here: one that is too
// long, or no UTF-8, would make the API server refuse the whole write, again and again.

const (
	// maxMessage is how many bytes a condition takes of a message: far below what the API server takes, and more than people read.
	maxMessage = 1024
	// maxNote is how many bytes the API server takes in an event.
	maxNote = 1024
	// maxValue is how many bytes status takes of a value: more than the 256 characters take that a spec may have, so that a value which
	// was cut never equals a desired one.
	maxValue = 1100
	// MaxToken is how many bytes a message repeats of a token that may be none.
	MaxToken = 64
	// maxRequest is how many bytes status takes of the annotation that asks for a resync.
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

// ResyncRequest is the value of the annotation that asks for a resync, as status repeats it: the digest of a value that is too long.
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
