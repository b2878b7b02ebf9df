// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestItPrintsItsURLServesAndStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"--org", "a=token-a", "--org", "b=token-b", "--accounts", "1"}, writer)
	}()
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url := strings.TrimSpace(line)

	for token, want := range map[string]string{"token-a": `"totalResults":1`, "token-b": `"totalResults":0`} {
		request, err := http.NewRequestWithContext(ctx, "GET", url+"/api/scim/Users", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s sees %s, error %v; want %s", token, body, err, want)
		}
	}

	stop()
	if err := <-done; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestHelpNamesTheFlags(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"--help"}, &out)
	if !errors.Is(err, flag.ErrHelp) || !strings.Contains(out.String(), "-concurrency-group") {
		t.Errorf("error %v, output %s", err, out.String())
	}
}

func TestFlagsThatAreWrongAreRefused(t *testing.T) {
	for _, args := range [][]string{{"--org", "a"}, {"--org", "=token"}, {"--latency", "long"}, {"more"}, {"--listen", "nowhere"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}
