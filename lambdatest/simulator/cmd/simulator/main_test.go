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

	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
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
	for _, reading := range simulator.Readings() {
		if !strings.Contains(out.String(), "  "+reading.Name+"="+reading.Settings[0].Name+"|") {
			t.Errorf("the reading %s is missing", reading.Name)
		}
	}
}

func TestReadingsAreFlags(t *testing.T) {
	flags, err := parse([]string{"--reading", "errors=html", "--reading", "total-results=this-page", "--org", "a=a", "--org", "b=b"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	sim := flags.server()
	for _, name := range []string{"a", "b"} {
		org, _ := sim.OrgNamed(name)
		if settings := org.Settings(); settings["errors"] != "html" || settings["total-results"] != "this-page" {
			t.Errorf("%s has %v", name, settings)
		}
	}
}

func TestFlagsThatAreWrongAreRefused(t *testing.T) {
	for _, args := range [][]string{{"--org", "a"}, {"--org", "=token"}, {"--latency", "long"}, {"--reading", "errors"},
		{"--reading", "errors=none"}, {"--reading", "error=html"}, {"--reassert-after", "soon"}, {"more"}, {"--listen", "nowhere"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}
