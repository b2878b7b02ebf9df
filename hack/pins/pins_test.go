// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package pins

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

type workflow struct {
	Jobs map[string]job `json:"jobs"`
}

type job struct {
	Environment string `json:"environment"`
	Permissions any    `json:"permissions"`
	Steps       []step `json:"steps"`
}

type step struct {
	Uses string         `json:"uses"`
	Run  string         `json:"run"`
	With map[string]any `json:"with"`
}

func read(t *testing.T, file string) workflow {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var parsed workflow
	if err := yaml.Unmarshal(content, &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

const releases = "../../.github/workflows/release.yml"

var (
	byCommit = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	byDigest = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
)

func TestPinnedAreAllActionsAndImages(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v: %v", files, err)
	}
	for _, file := range files {
		for name, job := range read(t, file).Jobs {
			for _, step := range job.Steps {
				if step.Uses != "" && !byCommit.MatchString(step.Uses) {
					t.Errorf("%s, %s: %s is not an action at a commit", file, name, step.Uses)
				}
				if problem := imagesOf(step); problem != "" {
					t.Errorf("%s, %s: %s", file, name, problem)
				}
			}
		}
	}
}

// imagesOf names what an action would pull by a tag.
func imagesOf(step step) string {
	text := func(key string) string { value, _ := step.With[key].(string); return value }
	switch action, _, _ := strings.Cut(step.Uses, "@"); action {
	case "docker/setup-buildx-action":
		if image, named := strings.CutPrefix(text("driver-opts"), "image="); !named || !byDigest.MatchString(image) {
			return "buildx takes BuildKit by a tag"
		}
	case "docker/build-push-action":
		if generator, named := strings.CutPrefix(text("sbom"), "generator="); !named || !byDigest.MatchString(generator) {
			return "the list of contents is made by an image with a tag"
		}
		if !strings.Contains(text("build-args"), "BINARY=prebuilt") {
			return "the image's build pulls a compiler by a tag"
		}
	}
	return ""
}

func TestPinnedIsAReleaseToMain(t *testing.T) {
	jobs := read(t, releases).Jobs
	if jobs["publish"].Environment == "" {
		t.Error("publishing needs no environment, whose rules say who may release")
	}
	for name, job := range jobs {
		for _, step := range job.Steps {
			if strings.HasPrefix(step.Uses, "actions/checkout@") {
				continue
			}
			if !strings.HasPrefix(step.Run, "hack/tag.sh ") {
				t.Errorf("%s does something before it looks whether the tag is on main", name)
			}
			break
		}
	}
}

func TestPinnedTag(t *testing.T) {
	script, err := filepath.Abs("../tag.sh")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		command.Dir = folder
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %s", args, output)
		}
		return strings.TrimSpace(string(output))
	}
	git("init", "--quiet", "--initial-branch=main")
	git("commit", "--quiet", "--allow-empty", "--message=first")
	old := git("rev-parse", "HEAD")
	git("commit", "--quiet", "--allow-empty", "--message=second")
	git("update-ref", "refs/remotes/origin/main", "HEAD")
	main := git("rev-parse", "HEAD")
	git("checkout", "--quiet", "-b", "side", old)
	git("commit", "--quiet", "--allow-empty", "--message=not reviewed")
	side := git("rev-parse", "HEAD")

	for _, test := range []struct {
		tag, commit string
		released    bool
	}{
		{"v1.2.3", main, true},
		{"v1.2.3-rc.1", old, true},
		{"v1.2.3", side, false},
		{"v1.2.3", strings.Repeat("0", 40), false},
		{"v1.2", main, false},
		{"v1.2.3$(touch x)", main, false},
		{"v1.2.3\nv1.2.4", main, false},
	} {
		command := exec.CommandContext(t.Context(), script, test.tag, test.commit)
		command.Dir = folder
		output, err := command.CombinedOutput()
		if (err == nil) != test.released {
			t.Errorf("%q at %s: released %t, want %t: %s", test.tag, test.commit, err == nil, test.released, output)
		}
	}
}
