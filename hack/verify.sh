#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs all checks that are not tests. Every check runs, also after one that failed; the last line names the checks that
# failed. Generated files are regenerated.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=()

# check <name> <advice if it fails> <command...>
check() {
	local name=$1 advice=$2
	shift 2
	echo "==> $name"
	if ! "$@"; then
		echo "    $name: $advice" >&2
		failed+=("$name")
	fi
}

# generated compares with the files before generation, not with a commit, so that it also works with uncommitted changes.
generated() {
	local before status=0
	local paths=(api config/crd/bases config/rbac/role.yaml config/overlays charts/lambdatest-operator/templates)
	before=$(mktemp -d)
	snapshot "$before" "${paths[@]}"
	hack/generate.sh || status=1
	((status)) || for path in "${paths[@]}"; do
		diff -ruN "$before/$path" "$path" || status=1
	done
	rm -rf "$before"
	return "$status"
}

snapshot() {
	local folder=$1 path
	shift
	for path in "$@"; do
		mkdir -p "$folder/$(dirname "$path")"
		[[ ! -e $path ]] || cp -R "$path" "$folder/$path"
	done
}

formatted() {
	local files
	files=$(git ls-files --cached --others --exclude-standard -- '*.go' | while read -r file; do
		[[ ! -e $file ]] || echo "$file"
	done | xargs gofmt -l)
	[[ -z $files ]] || { echo "$files"; return 1; }
}

tidy() {
	local module status=0
	for module in . hack/controlplane hack/flux hack/tools/*/ test/bench/elimity; do
		(cd "$module" && go mod tidy -diff) || status=1
	done
	return "$status"
}

check "generated files" "they were stale and are regenerated now: review the difference and commit it" generated
check "gofmt" "run gofmt -w on these files" formatted
check "go mod tidy" "run go mod tidy in that module and commit go.mod and go.sum" tidy
check "go vet" "fix the problems above" go vet ./...
check "arrows" "docs/architecture.md and the imports differ: if the new import is intended, replace the list there with the output of hack/arrows.sh" hack/arrows.sh --check
check "golangci-lint" "fix the problems above; .golangci.yml says why each linter is enabled" bin/golangci-lint run --allow-parallel-runners

if ((${#failed[@]})); then
	printf 'verify failed: '
	printf '%s; ' "${failed[@]}"
	echo "see above for what to do"
	exit 1
fi
echo "verify passed"
