// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package usercache

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// keepsKinds decodes as the caches of controller-runtime do: objects keep their kind.
type keepsKinds struct {
	serializer.WithoutConversionCodecFactory
}

func (keepsKinds) DecoderToVersion(decoder runtime.Decoder, _ runtime.GroupVersioner) runtime.Decoder {
	return decoder
}

// usersOf is the source of an informer of users, at an API server of which a test says what it answers.
func usersOf(t testing.TB, answer http.HandlerFunc, wrap func(http.RoundTripper) http.RoundTripper) *persistent {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	config := &rest.Config{Host: server.URL, APIPath: "/apis", ContentConfig: rest.ContentConfig{
		GroupVersion:         &v1alpha1.SchemeGroupVersion,
		NegotiatedSerializer: keepsKinds{serializer.WithoutConversionCodecFactory{CodecFactory: serializer.NewCodecFactory(scheme)}},
	}}
	if wrap != nil {
		config.Wrap(wrap)
	}
	client, err := rest.RESTClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	users := func(options metav1.ListOptions) *rest.Request {
		return client.Get().Resource("lambdatestusers").VersionedParams(&options, metav1.ParameterCodec)
	}
	return &persistent{users: true, transform: compactUsers(), ListerWatcher: &toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list := &v1alpha1.LambdaTestUserList{}
			return list, users(options).Do(ctx).Into(list)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return users(options).Watch(ctx)
		},
	}}
}

// watchOf watches users of an API server that sends a stream and then waits, if it is to, until it is left.
func watchOf(t testing.TB, stream string, ends bool, wrap func(http.RoundTripper) http.RoundTripper) (watch.Interface, <-chan struct{}) {
	t.Helper()
	left := make(chan struct{})
	from := usersOf(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(left)
		_, _ = w.Write([]byte(stream))
		w.(http.Flusher).Flush()
		if !ends {
			<-r.Context().Done()
		}
	}, wrap)
	watching, err := from.WatchWithContext(t.Context(), metav1.ListOptions{Watch: true})
	if err != nil {
		t.Fatal(err)
	}
	return watching, left
}

// eventsOf are those of a stream that ends.
func eventsOf(t testing.TB, stream string, wrap func(http.RoundTripper) http.RoundTripper) []watch.Event {
	t.Helper()
	watching, _ := watchOf(t, stream, true, wrap)
	defer watching.Stop()
	var events []watch.Event
	for event := range watching.ResultChan() {
		events = append(events, event)
	}
	return events
}

// asEvent is a line of a watch.
func asEvent(t testing.TB, kind watch.EventType, object any) string {
	t.Helper()
	line, err := json.Marshal(map[string]any{"type": kind, "object": object})
	if err != nil {
		t.Fatal(err)
	}
	return string(line) + "\n"
}

// managedUser has managed fields as the API server keeps them for whoever came through SCIM and has a status.
func managedUser() *v1alpha1.LambdaTestUser {
	user := fullUser()
	entry := func(subresource, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{
			Manager: "lambdatest-operator", Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: v1alpha1.SchemeGroupVersion.String(),
			Subresource: subresource, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields),
		}
	}
	user.ManagedFields = []metav1.ManagedFieldsEntry{
		entry("", `{"f:metadata":{"f:annotations":{".":{},"f:iam.lambdatest.io/last-modified":{}},"f:finalizers":{".":{},"v:\"iam.lambdatest.io/account\"":{}},`+
			`"f:labels":{".":{},"f:iam.lambdatest.io/person":{},"f:iam.lambdatest.io/source":{}}},"f:spec":{".":{},"f:active":{},"f:displayName":{},`+
			`"f:emails":{},"f:externalId":{},"f:name":{".":{},"f:familyName":{},"f:givenName":{}},"f:organizationRef":{},"f:role":{},"f:userName":{}}}`),
		entry("status", `{"f:status":{"f:account":{".":{},"f:active":{},"f:role":{}},"f:accountID":{},"f:conditions":{".":{},"k:{\"type\":\"Ready\"}":`+
			`{".":{},"f:lastTransitionTime":{},"f:message":{},"f:observedGeneration":{},"f:reason":{},"f:status":{},"f:type":{}}},"f:observedGeneration":{}}}`),
	}
	return user
}

// BenchmarkWatchOfUsers compares what an event costs.
func BenchmarkWatchOfUsers(b *testing.B) {
	const events = 1000
	stream := strings.Repeat(asEvent(b, watch.Added, managedUser()), events)
	for name, wrap := range map[string]func(http.RoundTripper) http.RoundTripper{"client-go": nil, "here": withUsersDecoded} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				watching, _ := watchOf(b, stream, true, wrap)
				count := 0
				for range watching.ResultChan() {
					count++
				}
				if count != events {
					b.Fatalf("%d events, want %d", count, events)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*events), "ns/event")
		})
	}
}

func TestAWatchOfUsersIsAsClientGoHasItButForManagedFields(t *testing.T) {
	user := managedUser()
	user.CreationTimestamp = metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	user.DeletionTimestamp = new(metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)))
	user.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: "1"}}
	long := fullUser()
	long.Annotations["note"] = strings.Repeat(`a "line", `, 10_000)
	bookmark := &v1alpha1.LambdaTestUser{TypeMeta: user.TypeMeta}
	bookmark.ResourceVersion, bookmark.Annotations = "4712", map[string]string{metav1.InitialEventsAnnotationKey: "true"}
	stream := asEvent(t, watch.Added, user) + asEvent(t, watch.Modified, long) + asEvent(t, watch.Deleted, fullUser()) + asEvent(t, watch.Bookmark, bookmark) +
		oddEvent(t) + asEvent(t, watch.Error, metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Reason: metav1.StatusReasonExpired, Code: http.StatusGone, Message: "too old"})

	want := eventsOf(t, stream, nil)
	if len(want) != 6 {
		t.Fatalf("client-go has %d events, want 6", len(want))
	}
	want[0].Object.(*v1alpha1.LambdaTestUser).ManagedFields = nil
	got := eventsOf(t, stream, withUsersDecoded)
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("(-client-go +here)\n%s", difference)
	}
}

// oddEvent is one with what JSON need not allow, and nothing in place of values.
func oddEvent(tb testing.TB) string {
	tb.Helper()
	event := asEvent(tb, watch.Added, fullUser())
	for _, change := range [][2]string{
		{`"givenName":"Ada"`, "\"givenName\":\"A\xffda\""},
		{`"userName":`, `"userName":"twice","userName":`},
		{`"externalId":"00u1"`, `"unknown":[{}],"externalId":null`},
	} {
		if !strings.Contains(event, change[0]) {
			tb.Fatalf("%s is not in %s", change[0], event)
		}
		event = strings.Replace(event, change[0], change[1], 1)
	}
	return event
}

func TestAWatchOfUsersThatCannotBeReadIsAnError(t *testing.T) {
	added := asEvent(t, watch.Added, fullUser())
	for name, stream := range map[string]string{
		"no JSON":              "{]\n",
		"another kind of text": strings.Replace(added, `"active":`, `"active":"yes","was":`, 1),
		"an unknown event":     strings.Replace(added, "ADDED", "FORGOTTEN", 1),
		"an error in error":    `{"type":"ERROR","object":[]}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			events := eventsOf(t, added+stream, withUsersDecoded)
			kinds := make([]watch.EventType, len(events))
			for i, event := range events {
				kinds[i] = event.Type
			}
			if want := []watch.EventType{watch.Added, watch.Error}; !slices.Equal(kinds, want) {
				t.Errorf("events %v, want %v", kinds, want)
			}
		})
	}
}

func TestAWatchOfUsersThatIsCutGivesWhatWasWhole(t *testing.T) {
	added := asEvent(t, watch.Added, fullUser())
	if events := eventsOf(t, added+added[:len(added)/2], withUsersDecoded); len(events) != 1 || events[0].Type != watch.Added {
		t.Errorf("events %v, want the whole one", events)
	}
}

func TestWhoeverStopsAWatchOfUsersLeavesTheAPIServer(t *testing.T) {
	watching, left := watchOf(t, asEvent(t, watch.Added, fullUser()), false, withUsersDecoded)
	<-watching.ResultChan()
	watching.Stop()
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Error("the API server still sends")
	}
}

// body is one that remembers whether it was closed.
type body struct {
	io.Reader
	closed bool
}

func (b *body) Close() error {
	b.closed = true
	return nil
}

func TestABodyThatWasHandedOverForNothingIsClosed(t *testing.T) {
	failure := errors.New("client-go cannot read it")
	handed := &body{Reader: strings.NewReader("")}
	_, err := watchUsers(t.Context(), func(ctx context.Context) (watch.Interface, error) {
		ctx.Value(handedOverKey{}).(*handedOver).body = handed
		return nil, failure
	})
	if !errors.Is(err, failure) || !handed.closed {
		t.Errorf("error %v, closed %t", err, handed.closed)
	}
}

func TestOnlyTheJSONOfAWatchThatWasTakenIsHandedOver(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		format string
		want   bool
	}{
		"JSON":           {http.StatusOK, "application/json; charset=utf-8", true},
		"another format": {http.StatusOK, "application/cbor-seq", false},
		"a refusal":      {http.StatusGone, "application/json", false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", test.format)
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte("an answer"))
			}))
			defer server.Close()
			handed := &handedOver{}
			request, err := http.NewRequestWithContext(context.WithValue(t.Context(), handedOverKey{}, handed), http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := withUsersDecoded(http.DefaultTransport).RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = answer.Body.Close() }()
			if got := handed.body != nil; got != test.want {
				t.Fatalf("handed over: %t, want %t", got, test.want)
			}
			if handed.body != nil {
				defer func() { _ = handed.body.Close() }()
			}
			left, err := io.ReadAll(answer.Body)
			if err != nil || (len(left) == 0) != test.want {
				t.Errorf("client-go gets %q, %v", left, err)
			}
		})
	}
}
