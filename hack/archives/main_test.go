// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// written is a folder with a release for two platforms, made from small files instead of built programs.
func written(t *testing.T, licence string) string {
	t.Helper()
	r := release{
		version: "v1.2.3",
		date:    time.Date(2026, 11, 24, 22, 46, 0, 0, time.UTC),
		beside:  []string{licence},
		build: func(_ context.Context, p platform, version, file string) error {
			return os.WriteFile(file, []byte(p.OS+" "+version), 0o600)
		},
	}
	folder := t.TempDir()
	if err := r.write(t.Context(), []string{"linux/amd64", "windows/arm64"}, folder); err != nil {
		t.Fatal(err)
	}
	return folder
}

func licence(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "LICENSE")
	if err := os.WriteFile(file, []byte("free"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAnArchiveHasTheProgramAndTheLicences(t *testing.T) {
	folder := written(t, licence(t))

	tarred := untar(t, read(t, folder, "kubectl-lambdatest_v1.2.3_linux_amd64.tar.gz"))
	if diff := cmp.Diff(map[string]string{"kubectl-lambdatest": "-rwxr-xr-x linux v1.2.3", "LICENSE": "-rw-r--r-- free"}, tarred); diff != "" {
		t.Error(diff)
	}
	zipped := unzip(t, read(t, folder, "kubectl-lambdatest_v1.2.3_windows_arm64.zip"))
	if diff := cmp.Diff(map[string]string{"kubectl-lambdatest.exe": "-rwxr-xr-x windows v1.2.3", "LICENSE": "-rw-r--r-- free"}, zipped); diff != "" {
		t.Error(diff)
	}
}

func TestArchivesOfOneCommitAreTheSame(t *testing.T) {
	file := licence(t)
	first := written(t, file)
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(file, later, later); err != nil {
		t.Fatal(err)
	}
	second := written(t, file)

	for _, name := range names(t, first) {
		if !bytes.Equal(read(t, first, name), read(t, second, name)) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestChecksumsAreOfTheArchives(t *testing.T) {
	folder := written(t, licence(t))

	lines := strings.Split(strings.TrimSpace(string(read(t, folder, "checksums.txt"))), "\n")
	if len(lines) != 2 {
		t.Errorf("%d checksums, want one for each archive", len(lines))
	}
	for _, line := range lines {
		sum, name, _ := strings.Cut(line, "  ")
		if want := fmt.Sprintf("%x", sha256.Sum256(read(t, folder, name))); sum != want {
			t.Errorf("the checksum of %s is %s, want %s", name, sum, want)
		}
	}
}

func TestKrewFindsEachArchive(t *testing.T) {
	folder := written(t, licence(t))

	var manifest struct {
		Spec struct {
			Version   string
			Platforms []struct {
				Selector    struct{ MatchLabels map[string]string }
				URI, Sha256 string
				Bin         string
			}
		}
	}
	if err := yaml.Unmarshal(read(t, folder, "lambdatest.yaml"), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Spec.Version != "v1.2.3" || len(manifest.Spec.Platforms) != 2 {
		t.Fatalf("version %s, %d platforms", manifest.Spec.Version, len(manifest.Spec.Platforms))
	}
	for _, p := range manifest.Spec.Platforms {
		content := read(t, folder, p.URI[strings.LastIndex(p.URI, "/")+1:])
		if want := fmt.Sprintf("%x", sha256.Sum256(content)); p.Sha256 != want {
			t.Errorf("the checksum of %s is %s, want %s", p.URI, p.Sha256, want)
		}
	}
	windows := manifest.Spec.Platforms[1]
	if windows.Selector.MatchLabels["os"] != "windows" || windows.Selector.MatchLabels["arch"] != "arm64" || windows.Bin != "kubectl-lambdatest.exe" {
		t.Errorf("the second platform is %+v", windows)
	}
}

func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func read(t *testing.T, folder, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// untar returns mode and content of each file by its name.
func untar(t *testing.T, content []byte) map[string]string {
	t.Helper()
	uncompressed, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for archive := tar.NewReader(uncompressed); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = fmt.Sprintf("%s %s", header.FileInfo().Mode(), text)
	}
}

func unzip(t *testing.T, content []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, file := range archive.File {
		opened, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(opened)
		if err != nil {
			t.Fatal(err)
		}
		files[file.Name] = fmt.Sprintf("%s %s", file.Mode(), text)
	}
	return files
}
