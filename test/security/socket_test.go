// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package security

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const scimType = "application/scim+json"

// tenant is an organization and who has its token.
type tenant struct{ *environment.Organization }

// reply is what the endpoint answered.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) json() map[string]any {
	GinkgoHelper()
	var decoded map[string]any
	Expect(json.Unmarshal([]byte(r.body), &decoded)).To(Succeed(), r.body)
	return decoded
}

func (r reply) id() string {
	GinkgoHelper()
	Expect(r.status).To(Equal(http.StatusCreated), r.body)
	return r.json()["id"].(string)
}

// ask sends a request with the tenant's token to the first replica.
func (t *tenant) ask(ctx context.Context, method, path, body string) reply {
	GinkgoHelper()
	return t.say(ctx, method, path, strings.NewReader(body), "Bearer "+t.SCIMToken)
}

// say sends a request whose body and authorization are the spec's to choose.
func (t *tenant) say(ctx context.Context, method, path string, body io.Reader, authorization string) reply {
	GinkgoHelper()
	answered, err := send(ctx, method, env.Replicas[0].SCIMURL+path, body, authorization)
	Expect(err).NotTo(HaveOccurred())
	return answered
}

func send(ctx context.Context, method, url string, body io.Reader, authorization string) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Content-Type", scimType)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, string(content)}, err
}

// user creates somebody and returns the id.
func (t *tenant) user(ctx context.Context, userName string) string {
	GinkgoHelper()
	return t.ask(ctx, http.MethodPost, "/Users", userBody(userName)).id()
}

func userBody(userName string, more ...string) string {
	return `{"userName":"` + userName + `","name":{"givenName":"Ada","familyName":"Lovelace"}` + strings.Join(append([]string{""}, more...), ",") + "}"
}

func filtered(path, filter string) string { return path + "?filter=" + url.QueryEscape(filter) }

// wire is a connection on which anything can be said.
type wire struct {
	net.Conn
	reader *bufio.Reader
}

// dial connects to the first replica's endpoint.
func dial() *wire {
	GinkgoHelper()
	address, err := url.Parse(env.Replicas[0].SCIMURL)
	Expect(err).NotTo(HaveOccurred())
	connection, err := net.Dial("tcp", address.Host)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(connection.Close)
	return &wire{connection, bufio.NewReader(connection)}
}

// says writes the text, in which LF stands for CRLF unless it is preceded by CR, and TOKEN for the tenant's token.
func (w *wire) says(t *tenant, text string) {
	GinkgoHelper()
	text = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n"), "TOKEN", t.SCIMToken)
	_, err := io.WriteString(w, text)
	Expect(err).NotTo(HaveOccurred())
}

// hears reads answers until the other side closes, or says nothing for a moment.
func (w *wire) hears(most time.Duration) (answers []reply, closed bool) {
	GinkgoHelper()
	for {
		Expect(w.SetReadDeadline(time.Now().Add(most))).To(Succeed())
		response, err := http.ReadResponse(w.reader, nil)
		if err != nil {
			var late net.Error
			return answers, !errors.As(err, &late) || !late.Timeout()
		}
		content, err := io.ReadAll(response.Body)
		Expect(err).NotTo(HaveOccurred())
		answers = append(answers, reply{response.StatusCode, response.Header, string(content)})
	}
}

func statuses(answers []reply) []int {
	var all []int
	for _, answer := range answers {
		all = append(all, answer.status)
	}
	return all
}

func bytesOf(megabytes int) string { return strings.Repeat("x", megabytes<<20) }

func named(format string, args ...any) string { return fmt.Sprintf(format, args...) }
