// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// withUsersDecoded wraps the transport of the cache: it hands the body of a list or a watch of users over to listUsers or watchUsers, and
// client-go reads an empty one instead.
func withUsersDecoded(next http.RoundTripper) http.RoundTripper { return handOver{next} }

type handOver struct{ next http.RoundTripper }

// handedOver is in the context of a request whose answer is decoded here.
type handedOver struct {
	// body of the answer; nil where client-go decodes it after all.
	body io.ReadCloser
	// instead is what client-go reads: an empty list, or nothing for a watch. A list is asked for without compression, which costs the API
	// server more than half as much time as encoding, and a start of the operator waits for the API server.
	instead string
}

type handedOverKey struct{}

// RoundTrip implements http.RoundTripper.
func (h handOver) RoundTrip(request *http.Request) (*http.Response, error) {
	handed, wanted := request.Context().Value(handedOverKey{}).(*handedOver)
	if wanted && handed.instead != "" {
		request = request.Clone(request.Context())
		request.Header.Set("Accept-Encoding", "identity")
	}
	answer, err := h.next.RoundTrip(request)
	if err != nil || !wanted || answer.StatusCode != http.StatusOK {
		return answer, err
	}
	if kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); kind == runtime.ContentTypeJSON {
		handed.body, answer.Body = answer.Body, io.NopCloser(strings.NewReader(handed.instead))
	}
	return answer, nil
}

// WrappedRoundTripper lets client-go find the transport, as net.RoundTripperWrapper.
func (h handOver) WrappedRoundTripper() http.RoundTripper { return h.next }

// watchUsers watches with client-go and decodes here, where withUsersDecoded is in the transport.
func watchUsers(ctx context.Context, start func(context.Context) (watch.Interface, error)) (watch.Interface, error) {
	handed := &handedOver{}
	watching, err := start(context.WithValue(ctx, handedOverKey{}, handed))
	switch {
	case handed.body == nil:
		return watching, err
	case err != nil:
		return nil, errors.Join(err, handed.body.Close())
	}
	watching.Stop()
	// An event that cannot be decoded is reported as client-go reports it, and the reflector lists again.
	failed := apierrors.NewClientErrorReporter(http.StatusInternalServerError, "watch", "ClientWatchDecoding")
	return watch.NewStreamWatcher(&userDecoder{body: handed.body, lines: bufio.NewReader(handed.body)}, failed), nil
}

// userDecoder implements watch.Decoder. Each event is a line.
type userDecoder struct {
	body  io.ReadCloser
	lines *bufio.Reader
	line  []byte
}

// Close implements watch.Decoder.
func (d *userDecoder) Close() { _ = d.body.Close() }

// lenient accepts what client-go accepts: one user that another client wrote must not end the watch of all users.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Decode implements watch.Decoder.
func (d *userDecoder) Decode() (watch.EventType, runtime.Object, error) {
	if err := d.next(); err != nil {
		return "", nil, err
	}
	user := &v1alpha1.LambdaTestUser{}
	event := userEvent{Object: fieldsOf(user)}
	err := json.Unmarshal(d.line, &event, lenient)
	if err != nil || event.Type == watch.Error {
		return d.ending(err)
	}
	switch event.Type {
	case watch.Added, watch.Modified, watch.Deleted, watch.Bookmark:
		return event.Type, user, nil
	default:
		return "", nil, fmt.Errorf("an event of type %q", event.Type)
	}
}

// ending decodes the event by which the API server ends a watch. Where the line is no such event, noUser is why it is no user either.
func (d *userDecoder) ending(noUser error) (watch.EventType, runtime.Object, error) {
	event := struct {
		Type   watch.EventType `json:"type"`
		Object metav1.Status   `json:"object"`
	}{}
	err := json.Unmarshal(d.line, &event, lenient)
	if event.Type == watch.Error && err == nil {
		return watch.Error, &event.Object, nil
	}
	return "", nil, fmt.Errorf("decoding an event about a user: %w", cmp.Or(noUser, err))
}

// next reads a line, of any length, into a buffer that is used again.
func (d *userDecoder) next() error {
	d.line = d.line[:0]
	for {
		part, err := d.lines.ReadSlice('\n')
		d.line = append(d.line, part...)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(d.line) > 0:
			return io.ErrUnexpectedEOF
		default:
			return err
		}
	}
}

// userEvent is an event of a watch, with a user to fill.
type userEvent struct {
	Type   watch.EventType `json:"type"`
	Object userFields      `json:"object"`
}

// userFields are those of a LambdaTestUser, but for the managed fields.
type userFields struct {
	*v1alpha1.LambdaTestUser
	Metadata userMetadata `json:"metadata"`
}

func fieldsOf(user *v1alpha1.LambdaTestUser) userFields {
	return userFields{LambdaTestUser: user, Metadata: userMetadata{ObjectMeta: &user.ObjectMeta}}
}

type userMetadata struct {
	*metav1.ObjectMeta
	ManagedFields unread `json:"managedFields"`
}

// unread is a value that is skipped.
type unread struct{}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (unread) UnmarshalJSONFrom(from *jsontext.Decoder) error { return from.SkipValue() }
