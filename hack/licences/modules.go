// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// platforms are the platforms of the shipped binary: Linux for the operator, all of them for the kubectl plugin.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

// module is a module in the binary; the standard library counts as one.
type module struct {
	Path, Version, Dir string

	folders  map[string]bool // folders of the packages that are used, relative to Dir
	files    []licenceFile
	licences []string
}

type licenceFile struct{ name, text string }

// shippedModules lists the modules in the binary on every platform, with `go list`.
func shippedModules(ctx context.Context) ([]module, error) {
	byPath := map[string]*module{}
	for _, platform := range platforms {
		goos, goarch, _ := strings.Cut(platform, "/")
		command := exec.CommandContext(ctx, "go", "list", "-deps", "-json=ImportPath,Dir,Standard,Module", ".")
		command.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
		command.Stderr = os.Stderr
		output, err := command.Output()
		if err != nil {
			return nil, fmt.Errorf("listing packages for %s: %w", platform, err)
		}
		if err := collect(byPath, output); err != nil {
			return nil, err
		}
	}
	var modules []module
	for _, found := range byPath {
		modules = append(modules, *found)
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return modules, nil
}

// listed is a package in the output of `go list`.
type listed struct {
	Dir      string
	Standard bool
	Module   *struct {
		Path, Version, Dir string
		Main               bool
	}
}

func collect(byPath map[string]*module, output []byte) error {
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var next listed
		err := decoder.Decode(&next)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		add(byPath, next)
	}
}

func add(byPath map[string]*module, p listed) {
	var found module
	switch {
	case p.Standard:
		found = module{Path: "std", Version: "Go's standard library", Dir: goRoot(p.Dir)}
	case p.Module == nil || p.Module.Main:
		return
	default:
		found = module{Path: p.Module.Path, Version: p.Module.Version, Dir: p.Module.Dir}
	}
	known := byPath[found.Path]
	if known == nil {
		known = &found
		known.folders = map[string]bool{}
		byPath[found.Path] = known
	}
	if folder, err := filepath.Rel(known.Dir, p.Dir); err == nil {
		known.folders[folder] = true
	}
}

// goRoot is the folder that contains src.
func goRoot(dir string) string {
	root, _, _ := strings.Cut(filepath.ToSlash(dir), "/src/")
	return root
}

// notLinked are licences of files that are not in the binary, although a used package is in the same folder or below; with the reason.
var notLinked = map[string]string{
	"std src/crypto/internal/boring/LICENSE": "BoringSSL's object files are linked with GOEXPERIMENT=boringcrypto alone",
}

var licenceName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicen[cs]e)([-_.].*)?$`)

// judge finds the licences of the module and of its used folders, which may have their own licences.
func (m *module) judge() error {
	for _, folder := range m.foldersAndParents() {
		if err := m.read(folder); err != nil {
			return err
		}
	}
	if len(m.files) == 0 {
		return fmt.Errorf("%s %s has no licence", m.Path, m.Version)
	}
	for _, file := range m.files {
		names, err := recognise(file.text)
		if err != nil {
			return fmt.Errorf("%s %s, %s: %w", m.Path, m.Version, file.name, err)
		}
		m.licences = append(m.licences, names...)
	}
	slices.Sort(m.licences)
	m.licences = slices.Compact(m.licences)
	return nil
}

// foldersAndParents are the used folders and all folders above them, up to the folder of the module.
func (m *module) foldersAndParents() []string {
	all := map[string]bool{".": true}
	for folder := range m.folders {
		for ; folder != "." && folder != "/"; folder = filepath.Dir(folder) {
			all[folder] = true
		}
	}
	var sorted []string
	for folder := range all {
		sorted = append(sorted, folder)
	}
	slices.Sort(sorted)
	return sorted
}

func (m *module) read(folder string) error {
	entries, err := os.ReadDir(filepath.Join(m.Dir, folder))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() || !licenceName.MatchString(entry.Name()) || strings.HasSuffix(entry.Name(), ".go") {
			continue
		}
		name := filepath.Join(folder, entry.Name())
		if notLinked[m.Path+" "+filepath.ToSlash(name)] != "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, name))
		if err != nil {
			return err
		}
		m.files = append(m.files, licenceFile{filepath.ToSlash(name), string(text)})
	}
	return nil
}
