// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers each query with the next of its addresses, as in a DNS rebinding attack.
type nameServer struct {
	connection net.PacketConn
	addresses  []netip.Addr
	asked      atomic.Int64
}

// resolveTo makes this process resolve every name to the addresses, one after the other; the last address repeats.
func resolveTo(t *testing.T, addresses ...string) *nameServer {
	t.Helper()
	connection, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &nameServer{connection: connection}
	for _, address := range addresses {
		server.addresses = append(server.addresses, netip.MustParseAddr(address))
	}
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", connection.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = before; _ = connection.Close() })
	go server.serve()
	return server
}

func (s *nameServer) serve() {
	packet := make([]byte, 1500)
	for {
		size, client, err := s.connection.ReadFrom(packet)
		if err != nil {
			return
		}
		var question dnsmessage.Message
		if question.Unpack(packet[:size]) != nil || len(question.Questions) != 1 {
			continue
		}
		if answer, err := s.answer(question); err == nil {
			_, _ = s.connection.WriteTo(answer, client)
		}
	}
}

func (s *nameServer) answer(question dnsmessage.Message) ([]byte, error) {
	asked := question.Questions[0]
	answer := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: question.ID, Response: true, Authoritative: true, RecursionAvailable: true},
		Questions: question.Questions,
	}
	header := dnsmessage.ResourceHeader{Name: asked.Name, Class: dnsmessage.ClassINET}
	if asked.Type == dnsmessage.TypeA {
		turn := min(int(s.asked.Add(1))-1, len(s.addresses)-1)
		answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: s.addresses[turn].As4()}})
	}
	return answer.Pack()
}

// callThrough lists accounts of an organization whose baseURL names a host that is allowed.
func callThrough(t *testing.T, baseURL, allowed string) error {
	t.Helper()
	hosts, err := Parse([]string{allowed})
	if err != nil {
		t.Fatal(err)
	}
	upstream, err := hosts.Connect(baseURL, "a-token")
	if err != nil {
		t.Fatal(err)
	}
	_, err = upstream.ListUsers(t.Context(), 1, 1)
	return err
}

func TestANameThatResolvesToAForbiddenAddressIsNotCalled(t *testing.T) {
	for name, address := range map[string]string{
		"metadata of clouds":    "169.254.169.254",
		"the link":              "169.254.7.7",
		"this machine":          "127.0.0.1",
		"this machine, nowhere": "0.0.0.0",
		"multicast":             "224.0.0.1",
		"another metadata":      "100.100.100.200",
	} {
		t.Run(name, func(t *testing.T) {
			resolveTo(t, address)
			err := callThrough(t, "http://scim.example.com/api/scim", "http://scim.example.com")
			if err == nil || !strings.Contains(err.Error(), "resolves to") {
				t.Errorf("calling a name that resolves to %s: %v", address, err)
			}
		})
	}
}

// The address is checked each time it is dialled, so rebinding a name between two calls does not help an attacker.
func TestANameThatIsReboundIsNotCalled(t *testing.T) {
	called := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called <- r.Header.Get("Authorization")
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	resolveTo(t, "169.254.169.254", "127.0.0.1")
	for range 2 {
		err := callThrough(t, "http://scim.example.com"+port+"/api/scim", "http://scim.example.com")
		if err == nil || !strings.Contains(err.Error(), "resolves to") {
			t.Errorf("calling a name that is rebound: %v", err)
		}
	}
	select {
	case token := <-called:
		t.Errorf("the server on this machine was called with %q", token)
	default:
	}
}
