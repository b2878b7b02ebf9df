// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/test/process"
)

// asOperator makes the test binary the operator, with the arguments that it is given.
const asOperator = "MAIN_TEST_AS_OPERATOR"

func TestMain(m *testing.M) {
	if os.Getenv(asOperator) != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestAReplicaStopsWhoseCachesAreNotFilled(t *testing.T) {
	for name, apiServer := range map[string]*halfAnAPIServer{
		"nothing is answered":                  {answers: func(string) bool { return false }},
		"lists are not answered":               {answers: isDiscovery},
		"lists are refused":                    {answers: isDiscovery, refuses: true},
		"what kinds there are is not answered": {answers: func(path string) bool { return path == "/api" || path == "/apis" }},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(apiServer)
			defer server.CloseClientConnections()
			operator := process.New(process.Command{
				Name: "the operator", Path: os.Args[0],
				Args: []string{
					"run", "--kubeconfig=" + kubeconfig(t, server.URL), "--leader-election-namespace=default",
					"--scim-bind-address=127.0.0.1:0", "--metrics-bind-address=0", "--health-probe-bind-address=0",
				},
				Env:     append(os.Environ(), asOperator+"=1"),
				LogPath: filepath.Join(t.TempDir(), "log"),
				Ready:   apiServer.hasLeftACallOpen,
			})
			t.Cleanup(operator.Kill)
			if err := operator.Start(t.Context()); err != nil {
				t.Fatal(err)
			}

			if err := operator.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}

			select {
			case <-operator.Ended():
			case <-time.After(5 * time.Second):
				t.Error("it still runs five seconds after SIGTERM")
			}
			log, _ := os.ReadFile(operator.LogPath())
			if !strings.Contains(string(log), "stopped before the caches were filled") || strings.Contains(string(log), "Error:") {
				t.Errorf("the log does not say why it ended:\n%s", log)
			}
		})
	}
}

// halfAnAPIServer answers some paths; calls of others it refuses, or leaves open.
type halfAnAPIServer struct {
	answers func(path string) bool
	refuses bool
	open    atomic.Bool
}

// kinds are what discovery shows, by version and resource.
var kinds = map[string]map[string]string{
	"v1":                                 {"secrets": "Secret", "namespaces": "Namespace", "events": "Event"},
	"apiextensions.k8s.io/v1":            {"customresourcedefinitions": "CustomResourceDefinition"},
	v1alpha1.SchemeGroupVersion.String(): {"lambdatestusers": v1alpha1.UserKind, "lambdatestgroups": v1alpha1.GroupKind, "lambdatestorganizations": v1alpha1.OrganizationKind},
}

// isDiscovery tells whether the path asks what kinds there are.
func isDiscovery(path string) bool {
	return path == "/api" || path == "/apis" || kinds[strings.TrimPrefix(strings.TrimPrefix(path, "/api/"), "/apis/")] != nil
}

// ServeHTTP implements http.Handler.
func (h *halfAnAPIServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case h.answers(r.URL.Path):
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(discovered(r.URL.Path))
	case h.refuses:
		h.open.Store(true)
		http.Error(w, "not now", http.StatusServiceUnavailable)
	default:
		h.open.Store(true)
		<-r.Context().Done()
	}
}

// hasLeftACallOpen is nil once the operator waits for an answer.
func (h *halfAnAPIServer) hasLeftACallOpen(context.Context) error {
	if !h.open.Load() {
		return errors.New("everything was answered until now")
	}
	return nil
}

// discovered is the answer of an API server that is asked what kinds there are.
func discovered(path string) any {
	switch path {
	case "/api":
		return metav1.APIVersions{Versions: []string{"v1"}}
	case "/apis":
		groups := metav1.APIGroupList{}
		for groupVersion := range kinds {
			if group, version, found := strings.Cut(groupVersion, "/"); found {
				preferred := metav1.GroupVersionForDiscovery{GroupVersion: groupVersion, Version: version}
				groups.Groups = append(groups.Groups,
					metav1.APIGroup{Name: group, Versions: []metav1.GroupVersionForDiscovery{preferred}, PreferredVersion: preferred})
			}
		}
		return groups
	}
	resources := metav1.APIResourceList{GroupVersion: strings.TrimPrefix(strings.TrimPrefix(path, "/api/"), "/apis/")}
	for name, kind := range kinds[resources.GroupVersion] {
		resources.APIResources = append(resources.APIResources,
			metav1.APIResource{Name: name, Kind: kind, Namespaced: kind != "Namespace", Verbs: metav1.Verbs{"get", "list", "watch"}})
	}
	return resources
}

// kubeconfig writes one for an API server without TLS.
func kubeconfig(t *testing.T, url string) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["local"] = &clientcmdapi.Cluster{Server: url}
	config.Contexts["local"] = &clientcmdapi.Context{Cluster: "local"}
	config.CurrentContext = "local"
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}
