// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"net/http"
	"testing"

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
)

// unknownAccount reads an account that LambdaTest does not have.
func unknownAccount(ctx context.Context, c *Connection) error {
	_, err := ask(ctx, c, "GetUser", func(ctx context.Context, upstream Upstream) (lambdatest.User, error) {
		return upstream.GetUser(ctx, "1")
	})
	return err
}

func TestAPageIsARefusalOnlyIfLambdaTestAnswersRightAfterIt(t *testing.T) {
	html := simulator.Body("<html>not found</html>")
	for name, test := range map[string]struct {
		reads    simulator.Settings
		fail     func(*simulator.Server)
		believed bool
	}{
		"LambdaTest refuses with pages":        {simulator.Settings{"errors": "html"}, func(*simulator.Server) {}, true},
		"its lists cannot be believed, either": {simulator.Settings{"errors": "html", "list-of-users": "all-at-once"}, func(*simulator.Server) {}, true},
		"a proxy answers everything":           {nil, func(s *simulator.Server) { s.Fail(http.StatusNotFound, html) }, false},
		"a proxy answers, and then fails": {nil, func(s *simulator.Server) {
			s.Fail(http.StatusNotFound, html, simulator.On("GET /Users/{id}"))
			s.Fail(http.StatusBadGateway, html, simulator.On("GET /Users"))
		}, false},
		"a proxy answers lists with a page and 200": {nil, func(s *simulator.Server) {
			s.Fail(http.StatusNotFound, html, simulator.On("GET /Users/{id}"))
			s.Inject(simulator.Fault{Kind: simulator.Intercept}, simulator.On("GET /Users"))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := simulator.Start(simulator.Population(3), simulator.Reads(test.reads))
			defer server.Close()
			test.fail(server)
			client, err := lambdatest.New(server.BaseURL(), simulator.DefaultToken)
			if err != nil {
				t.Fatal(err)
			}
			c, set := newTestConnection()
			c.Use(set, client)

			err = unknownAccount(t.Context(), c)

			if lambdatest.IsNotFound(err) != test.believed || lambdatest.IsUnavailable(err) == test.believed {
				t.Errorf("believed should be %t: %v", test.believed, err)
			}
			if calls := len(server.Calls()); calls != 2 {
				t.Errorf("%d calls were made, want the call and one list", calls)
			}
		})
	}
}
