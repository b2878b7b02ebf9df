// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// gitServer serves every repository below a folder over HTTP, read-only, to this machine.
type gitServer struct {
	dir    string
	url    string
	server *http.Server
}

func serveGit(dir string) (*gitServer, error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	backend := &cgi.Handler{
		Path: git,
		Args: []string{"http-backend"},
		Dir:  dir,
		Env:  []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + dir, "PATH=" + os.Getenv("PATH")},
	}
	server := &gitServer{
		dir:    dir,
		url:    "http://" + listener.Addr().String(),
		server: &http.Server{Handler: backend, ReadHeaderTimeout: 10 * time.Second},
	}
	go func() { _ = server.server.Serve(listener) }() // returns when close is called
	return server, nil
}

func (s *gitServer) close() { _ = s.server.Close() }

// repository is a git repository with people in the folder "people", and a clone's worth of convenience.
type repository struct {
	dir string
	url string
}

// peopleDir is what Flux and Argo CD follow.
const peopleDir = "people"

func (s *gitServer) create(ctx context.Context, name string) *repository {
	GinkgoHelper()
	r := &repository{dir: filepath.Join(s.dir, name), url: s.url + "/" + name + "/.git"}
	Expect(os.MkdirAll(filepath.Join(r.dir, peopleDir), 0o700)).To(Succeed())
	r.git(ctx, "init", "--quiet", "--initial-branch=main")
	return r
}

// change is one edit of the folder with people.
type change func(r *repository)

// file adds or replaces a file in the folder with people.
func file(name, content string) change {
	return func(r *repository) {
		GinkgoHelper()
		Expect(os.WriteFile(filepath.Join(r.dir, peopleDir, name), []byte(content), 0o600)).To(Succeed())
	}
}

// without removes files from the folder with people.
func without(names ...string) change {
	return func(r *repository) {
		GinkgoHelper()
		for _, name := range names {
			Expect(os.Remove(filepath.Join(r.dir, peopleDir, name))).To(Succeed())
		}
	}
}

// commit makes the changes in one commit and returns its hash.
func (r *repository) commit(ctx context.Context, message string, changes ...change) string {
	GinkgoHelper()
	for _, change := range changes {
		change(r)
	}
	r.git(ctx, "add", "--all")
	r.git(ctx, "commit", "--quiet", "--message", message)
	return r.git(ctx, "rev-parse", "HEAD")
}

// revert undoes the last commit by another one, as people do after a mistake.
func (r *repository) revert(ctx context.Context) string {
	GinkgoHelper()
	r.git(ctx, "revert", "--no-edit", "HEAD")
	return r.git(ctx, "rev-parse", "HEAD")
}

// manifests are the files that are applied, in order of their names.
func (r *repository) manifests() []string {
	GinkgoHelper()
	var contents []string
	entries, err := os.ReadDir(filepath.Join(r.dir, peopleDir))
	Expect(err).NotTo(HaveOccurred())
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) != ".yaml" || entry.Name() == "kustomization.yaml" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(r.dir, peopleDir, entry.Name()))
		Expect(err).NotTo(HaveOccurred())
		contents = append(contents, string(content))
	}
	return contents
}

// git runs git as somebody with a name and without anybody's settings.
func (r *repository) git(ctx context.Context, args ...string) string {
	GinkgoHelper()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, "git", args...)
	command.Dir = r.dir
	command.Stdout, command.Stderr = &stdout, &stderr
	command.Env = append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Platform", "GIT_AUTHOR_EMAIL=platform@example.com",
		"GIT_COMMITTER_NAME=Platform", "GIT_COMMITTER_EMAIL=platform@example.com",
	)
	Expect(command.Run()).To(Succeed(), fmt.Sprintf("git %s: %s", strings.Join(args, " "), stderr.String()))
	return strings.TrimSpace(stdout.String())
}
