// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package lambdatest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

const token = "a-secret-token"

// connected returns a simulated organization and a client of it.
func connected(t *testing.T, options ...simulator.Option) (*simulator.Server, *lambdatest.Client) {
	t.Helper()
	sim := simulator.Start(append([]simulator.Option{simulator.Token(token)}, options...)...)
	t.Cleanup(sim.Close)
	return sim, clientOf(t, sim.BaseURL())
}

func clientOf(t *testing.T, baseURL string, options ...lambdatest.Option) *lambdatest.Client {
	t.Helper()
	client, err := lambdatest.New(baseURL, token, options...)
	if err != nil {
		t.Fatalf("making the client: %v", err)
	}
	return client
}

// answering returns a client of a server that gives the same answer to every request.
func answering(t *testing.T, handler http.HandlerFunc, options ...lambdatest.Option) *lambdatest.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return clientOf(t, server.URL, options...)
}

func TestNewRefusesWhatCannotBeCalledSafely(t *testing.T) {
	for name, test := range map[string]struct{ baseURL, token string }{
		"a relative URL":                {"/api/scim", token},
		"no scheme":                     {"auth.example.com/api/scim", token},
		"another scheme":                {"file:///etc/passwd", token},
		"no host":                       {"https:///api/scim", token},
		"a port without host":           {"https://:443/api/scim", token},
		"credentials":                   {"https://ada:pass@auth.example.com/api/scim", token},
		"a fragment":                    {"https://auth.example.com/api/scim#x", token},
		"no URL at all":                 {"https://ada:pass@auth.example.com:x/", token},
		"no token":                      {"https://auth.example.com/api/scim", ""},
		"a token with a line break":     {"https://auth.example.com/api/scim", "secret\r\nX-Header: 1"},
		"a token with a trailing space": {"https://auth.example.com/api/scim", "secret "},
		"a token outside ASCII":         {"https://auth.example.com/api/scim", "sécret"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := lambdatest.New(test.baseURL, test.token)
			if err == nil {
				t.Fatal("New accepted it")
			}
			if strings.Contains(err.Error(), "pass") || strings.Contains(err.Error(), "secret") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

func TestClientKeepsTheQueryOfItsBaseURL(t *testing.T) {
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.RequestURI
		fmt.Fprint(w, `{"totalResults":0,"Resources":[]}`)
	}))
	defer server.Close()
	client := clientOf(t, server.URL+"/api/scim/?aadOptscim062020")

	if _, _, err := client.FindUser(t.Context(), `o"b@example.com`); err != nil {
		t.Fatal(err)
	}

	want := `/api/scim/Users?aadOptscim062020&filter=userName%20eq%20%22o%5C%22b%40example.com%22`
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("unexpected request (-want +got):\n%s", diff)
	}
}

func TestPrintingAClientShowsNoToken(t *testing.T) {
	client := clientOf(t, "https://auth.example.com/api/scim")
	encoded, err := json.Marshal(client) //nolint:staticcheck // the test shows that nothing of the client is encoded
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		fmt.Sprint(client), fmt.Sprintf("%+v", client), fmt.Sprintf("%#v", client),
		fmt.Sprintf("%+v", *client), fmt.Sprintf("%#v", *client), string(encoded),
	} {
		if strings.Contains(shown, token) {
			t.Errorf("printing shows the token: %s", shown)
		}
	}
}

func TestAnErrorRepeatsNeitherTokenNorAddress(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"detail":"you sent\n%s"}`, r.Header.Get("Authorization"))
	}
	_, _, err := answering(t, echo).FindUser(t.Context(), "ada@example.com")
	if want := "GET /Users: 400 Bad Request: you sent Bearer [token]"; err.Error() != want {
		t.Errorf("the error is %q, want %q", err, want)
	}

	closed := httptest.NewServer(nil)
	closed.Close()
	_, _, err = clientOf(t, closed.URL).FindUser(t.Context(), "ada@example.com")
	if strings.Contains(err.Error(), "ada") || strings.Contains(err.Error(), token) {
		t.Errorf("the error repeats the userName that was searched: %v", err)
	}
}

func TestAnErrorShortensWhatLambdaTestSays(t *testing.T) {
	client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"detail":%q}`, strings.Repeat("ü", 5000))
	})

	_, err := client.GetUser(t.Context(), "23123")

	if length := len([]rune(err.Error())); length > 400 {
		t.Errorf("the error has %d characters", length)
	}
}

func TestRedirectsAreNotFollowedWithTheToken(t *testing.T) {
	var followed bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer elsewhere.Close()
	client := answering(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}, lambdatest.WithHTTPClient(&http.Client{}))

	_, err := client.GetUser(t.Context(), "23123")

	if followed || !lambdatest.IsUnavailable(err) {
		t.Errorf("followed: %v, error: %v; want an unavailable upstream", followed, err)
	}
}

func TestDialControlDecidesBeforeAnythingIsSent(t *testing.T) {
	sim := simulator.Start(simulator.Token(token))
	defer sim.Close()
	refusal := errors.New("this address is not allowed")
	client := clientOf(t, sim.BaseURL(), lambdatest.WithDialControl(func(_, address string) error {
		if !strings.HasPrefix(address, "127.0.0.1:") {
			t.Errorf("control was called with %s, not with the address dialled", address)
		}
		return refusal
	}))

	_, err := client.CreateUser(t.Context(), ada())

	if !errors.Is(err, refusal) || !lambdatest.IsUnavailable(err) || lambdatest.IsOutcomeUnknown(err) {
		t.Errorf("the error is %v; want the refusal, with a known outcome", err)
	}
	if calls := sim.Counts(); len(calls) != 0 {
		t.Errorf("calls arrived: %v", calls)
	}
}

func TestSameUserNameDecidesWhoIsMeant(t *testing.T) {
	client := answering(t, saying(`{"totalResults":1,"Resources":[{"id":"1","userName":"one","active":true}]}`),
		lambdatest.WithSameUserName(func(a, b string) bool { return a == "one" && b == "another" }))

	if _, found, err := client.FindUser(t.Context(), "another"); !found || err != nil {
		t.Errorf("found %v, error %v; want the account", found, err)
	}
	if _, _, err := client.FindUser(t.Context(), "one"); !lambdatest.IsUnavailable(err) {
		t.Errorf("the error is %v; want the error of an answer that cannot be trusted", err)
	}
}
