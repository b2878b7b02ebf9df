// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// program is the name that kubectl looks for when it runs "kubectl lambdatest".
const program = "kubectl-lambdatest"

// allPlatforms are the platforms of a release.
const allPlatforms = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"

func main() {
	r := release{build: build}
	flag.StringVar(&r.version, "version", "", "`version` of the release, such as v1.2.3")
	platforms := flag.String("platforms", allPlatforms, "`platforms`, separated by commas")
	flag.Parse()
	if err := r.run(context.Background(), strings.Split(*platforms, ","), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// release is one version of the program on all platforms.
type release struct {
	version string
	// date is the modification time of all files in the archives.
	date time.Time
	// beside are the other files in each archive.
	beside []string
	build  func(ctx context.Context, platform platform, version, file string) error
}

// platform is an operating system and an architecture, as Go calls them.
type platform struct{ OS, Arch string }

// program is the name of the program there.
func (p platform) program() string {
	if p.OS == "windows" {
		return program + ".exe"
	}
	return program
}

// archive is one downloadable archive.
type archive struct {
	platform
	Name   string
	SHA256 string
}

// Program is its name in the archive.
func (a archive) Program() string { return a.program() }

func (r *release) run(ctx context.Context, platforms, args []string) error {
	if r.version == "" || len(args) == 0 {
		return errors.New("usage: archives -version <version> <folder> <file to put beside the program>")
	}
	var err error
	if r.date, err = commitDate(ctx); err != nil {
		return err
	}
	r.beside = args[1:]
	return r.write(ctx, platforms, args[0])
}

func (r *release) write(ctx context.Context, platforms []string, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var archives []archive
	for _, name := range platforms {
		goos, arch, found := strings.Cut(name, "/")
		if !found {
			return fmt.Errorf("%q is not a platform such as linux/amd64", name)
		}
		next, err := r.archive(ctx, platform{goos, arch}, folder)
		if err != nil {
			return fmt.Errorf("for %s: %w", name, err)
		}
		archives = append(archives, next)
	}
	if err := os.WriteFile(filepath.Join(folder, "checksums.txt"), []byte(checksums(archives)), 0o644); err != nil {
		return err
	}
	return r.writeKrew(filepath.Join(folder, "lambdatest.yaml"), archives)
}

// archive builds the program and packs it.
func (r *release) archive(ctx context.Context, p platform, folder string) (archive, error) {
	scratch, err := os.MkdirTemp("", "archives")
	if err != nil {
		return archive{}, err
	}
	defer os.RemoveAll(scratch)
	binary := filepath.Join(scratch, p.program())
	if err := r.build(ctx, p, r.version, binary); err != nil {
		return archive{}, err
	}
	pack, suffix := packTar, ".tar.gz"
	if p.OS == "windows" {
		pack, suffix = packZip, ".zip"
	}
	entries := []entry{{file: binary, mode: 0o755}}
	for _, file := range r.beside {
		entries = append(entries, entry{file: file, mode: 0o644})
	}
	result := archive{platform: p, Name: fmt.Sprintf("%s_%s_%s_%s%s", program, r.version, p.OS, p.Arch, suffix)}
	file, err := os.Create(filepath.Join(folder, result.Name))
	if err != nil {
		return archive{}, err
	}
	defer file.Close()
	sum := sha256.New()
	if err := pack(io.MultiWriter(file, sum), entries, r.date); err != nil {
		return archive{}, err
	}
	result.SHA256 = fmt.Sprintf("%x", sum.Sum(nil))
	return result, file.Close()
}

// checksums are in the format of sha256sum.
func checksums(archives []archive) string {
	var lines strings.Builder
	for _, a := range archives {
		fmt.Fprintf(&lines, "%s  %s\n", a.SHA256, a.Name)
	}
	return lines.String()
}

// build builds the program with hack/build.sh, like every binary of the operator.
func build(ctx context.Context, p platform, version, file string) error {
	command := exec.CommandContext(ctx, "hack/build.sh", file)
	command.Env = append(os.Environ(), "GOOS="+p.OS, "GOARCH="+p.Arch, "VERSION="+version)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	return command.Run()
}

// commitDate is SOURCE_DATE_EPOCH if it is set, otherwise the time of the commit.
func commitDate(ctx context.Context) (time.Time, error) {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		output, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%ct").Output()
		if err != nil {
			return time.Time{}, fmt.Errorf("finding the date of the commit: %w", err)
		}
		epoch = strings.TrimSpace(string(output))
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the date of the commit: %w", err)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
