// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver"
)

var _ = Describe("HTTP", Label("security"), func() {
	var t *tenant
	BeforeEach(func(ctx SpecContext) { t = newTenant(ctx) })

	DescribeTable("every error is SCIM JSON", func(method, path, body, contentType string, status int) {
		headers := []string{}
		if contentType != "" {
			headers = append(headers, "Content-Type: "+contentType)
		}
		a := t.do(status, method, path, body, headers...)
		Expect(a.json).To(HaveKeyWithValue("schemas", ConsistOf("urn:ietf:params:scim:api:messages:2.0:Error")))
		Expect(a.json).To(HaveKeyWithValue("status", fmt.Sprint(status)))
		Expect(a.json["detail"]).NotTo(BeEmpty())
	},
		Entry("an unknown path", "GET", "/Nothing", "", "", 404),
		Entry("an unknown path below", "GET", "/Users/a/b", "", "", 404),
		Entry("two slashes", "GET", "//Users", "", "", 404),
		Entry("dots", "GET", "/Users/../Groups", "", "", 404),
		Entry("encoded dots", "GET", "/Users/%2e%2e/Groups", "", "", 404),
		Entry("/Me", "GET", "/Me", "", "", 501),
		Entry("/Bulk", "POST", "/Bulk", "{}", "", 501),
		Entry("a wrong verb", "DELETE", "/Users", "", "", 405),
		Entry("a verb nobody has", "BREW", "/Users", "", "", 405),
		Entry("OPTIONS", "OPTIONS", "/Users", "", "", 405),
		Entry("a wrong media type", "POST", "/Users", "<user/>", "text/xml", 415),
		Entry("a body that is no JSON", "POST", "/Users", "{", "", 400),
		Entry("a body that is no object", "POST", "/Users", "[]", "", 400),
		Entry("a body with something behind", "POST", "/Users", "{}{}", "", 400),
		Entry("null", "POST", "/Users", "null", "", 400),
		Entry("a nesting bomb", "POST", "/Users", strings.Repeat(`{"a":`, 5000)+"1"+strings.Repeat("}", 5000), "", 400),
		Entry("an unknown resource type", "GET", "/ResourceTypes/Device", "", "", 404),
		Entry("an unknown schema", "GET", "/Schemas/urn:x", "", "", 404),
		Entry("a filter on a discovery endpoint", "GET", "/Schemas?filter=id+pr", "", "", 403),
	)
	It("refuses a Host header that would make every answer long", func() {
		request, err := http.NewRequest(http.MethodGet, replicas[0].url+"/Users", http.NoBody)
		Expect(err).NotTo(HaveOccurred())
		request.Host = strings.Repeat("x", 300)
		request.Header.Set("Authorization", "Bearer "+t.token)
		response, err := http.DefaultClient.Do(request)
		Expect(err).NotTo(HaveOccurred())
		Expect(response.Body.Close()).To(Succeed())
		Expect(response).To(HaveHTTPStatus(400))
	})
	It("says which verbs a path allows", func() {
		a := t.do(405, "DELETE", "/Users", "")
		Expect(a.header.Get("Allow")).To(Equal("GET, HEAD, POST"))
		Expect(t.do(405, "POST", "/Users/x", "{}").header.Get("Allow")).To(Equal("DELETE, GET, HEAD, PATCH, PUT"))
	})
	DescribeTable("takes what is harmless", func(method, path, body, contentType string) {
		headers := []string{}
		if contentType != "" {
			headers = append(headers, "Content-Type: "+contentType)
		}
		a := t.ask(replicas[0], method, path, body, headers...)
		Expect(a.status).To(BeNumerically("<", 300), a.text)
	},
		Entry("a trailing slash", "GET", "/Users/", "", ""),
		Entry("a path in another case", "GET", "/users", "", ""),
		Entry("application/json", "POST", "/Users", userBody("a@example.com"), "application/json"),
		Entry("a charset", "POST", "/Users", userBody("b@example.com"), "application/scim+json; charset=utf-8"),
		Entry("HEAD", "HEAD", "/Users", "", ""),
	)
	It("answers 404 outside of its path, without a token", func() {
		response, err := http.Get(strings.TrimSuffix(replicas[0].url, scimserver.BasePath) + "/metrics")
		Expect(err).NotTo(HaveOccurred())
		defer func() { _ = response.Body.Close() }()
		text, _ := io.ReadAll(response.Body)
		Expect(response.StatusCode).To(Equal(404))
		Expect(string(text)).To(ContainSubstring(`"status":"404"`))
	})
	It("gives every answer a request id, the proxy's when there is one", func() {
		Expect(t.do(200, "GET", "/Users", "").header.Get("X-Request-Id")).To(HaveLen(16))
		Expect(t.do(200, "GET", "/Users", "", "X-Request-Id: abc-1").header.Get("X-Request-Id")).To(Equal("abc-1"))
		Expect(t.do(200, "GET", "/Users", "", "X-Request-Id: a b").header.Get("X-Request-Id")).To(HaveLen(16))
	})
	It("shows where resources are as the client reaches them", func() {
		a := t.do(201, "POST", "/Users", userBody("ada@example.com"), "X-Forwarded-Proto: https")
		Expect(a.header.Get("Location")).To(HavePrefix("https://"))
	})
	It("closes on requests that smuggle lengths", func() {
		connection, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(replicas[0].url, "http://"), scimserver.BasePath))
		Expect(err).NotTo(HaveOccurred())
		defer func() { _ = connection.Close() }()
		_, err = fmt.Fprintf(connection, "POST %s/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}", scimserver.BasePath, t.token)
		Expect(err).NotTo(HaveOccurred())
		response, err := http.ReadResponse(bufio.NewReader(connection), nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(response.StatusCode).To(Equal(400))
	})
	It("speaks TLS from files, and takes up new ones", func() {
		dir := GinkgoT().TempDir()
		cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
		writeCertificate(cert, key, 1)
		r := startReplica(scimserver.Options{TLSCertFile: cert, TLSKeyFile: key})
		DeferCleanup(func() { r.stop(); Eventually(r.done).Should(Receive(BeNil())) })
		serial := func(config *tls.Config) (int64, error) {
			config.InsecureSkipVerify = true
			address := strings.TrimSuffix(strings.TrimPrefix(r.url, "http://"), scimserver.BasePath)
			connection, err := tls.Dial("tcp", address, config)
			if err != nil {
				return 0, err
			}
			defer func() { _ = connection.Close() }()
			return connection.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
		}
		Expect(serial(&tls.Config{})).To(BeEquivalentTo(1))
		_, err := serial(&tls.Config{MaxVersion: tls.VersionTLS11})
		Expect(err).To(HaveOccurred())
		writeCertificate(cert, key, 2)
		Eventually(func() (int64, error) { return serial(&tls.Config{}) }).WithTimeout(20 * time.Second).Should(BeEquivalentTo(2))
	})
})

func writeCertificate(certFile, keyFile string, serial int64) {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "scim"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	Expect(err).NotTo(HaveOccurred())
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	Expect(err).NotTo(HaveOccurred())
	var cert, private bytes.Buffer
	Expect(pem.Encode(&cert, &pem.Block{Type: "CERTIFICATE", Bytes: der})).To(Succeed())
	Expect(pem.Encode(&private, &pem.Block{Type: "PRIVATE KEY", Bytes: encoded})).To(Succeed())
	Expect(os.WriteFile(keyFile, private.Bytes(), 0o600)).To(Succeed())
	Expect(os.WriteFile(certFile, cert.Bytes(), 0o600)).To(Succeed())
}

var _ = Describe("Connections without end", Label("security"), func() {
	It("keep no provider out, and no more than the limit stays open", func(ctx SpecContext) {
		const most, flood = 20, 200
		r := startReplica(scimserver.Options{Limits: scimserver.Limits{Connections: most}})
		DeferCleanup(func() {
			r.stop()
			Eventually(r.done).WithTimeout(30 * time.Second).Should(Receive(BeNil()))
		})
		t := newTenant(ctx)
		Eventually(func() int { return t.ask(r, "GET", "/ServiceProviderConfig", "").status }).Should(Equal(200))
		address := strings.TrimSuffix(strings.TrimPrefix(r.url, "http://"), scimserver.BasePath)
		dial := func() net.Conn {
			GinkgoHelper()
			conn, err := net.Dial("tcp", address)
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(conn.Close)
			return conn
		}
		asks := func(conn net.Conn) *http.Response {
			GinkgoHelper()
			_, err := fmt.Fprintf(conn, "GET %s/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", scimserver.BasePath, t.token)
			Expect(err).NotTo(HaveOccurred())
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			Expect(err).NotTo(HaveOccurred())
			return answer
		}
		kept := dial()
		Expect(asks(kept)).To(HaveHTTPStatus(200))

		closed := make(chan struct{}, flood)
		for range flood {
			conn := dial()
			_, _ = fmt.Fprintf(conn, "GET %s/Users HTTP/1.1\r\nHost: x\r\nX: ", scimserver.BasePath)
			go func() {
				_, _ = io.Copy(io.Discard, conn)
				closed <- struct{}{}
			}()
		}
		Eventually(func() int { return len(closed) }).WithTimeout(5 * time.Second).Should(BeNumerically(">=", flood-most))
		Expect(asks(kept)).To(HaveHTTPStatus(200), "over the connection from before")
		Expect(asks(dial())).To(HaveHTTPStatus(200), "over a new connection")
	})
})
