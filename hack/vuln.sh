#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Looks for known vulnerabilities in all code of this module, with the Go version of releases. The vulnerabilities are those of the module
# golang.org/x/vulndb in the version that hack/tools/indexdb pins. So no request reveals which modules are used here, and the result for a
# commit is always the same. `make vuln` calls it; it needs bin/govulncheck and bin/indexdb.
#
#   hack/vuln.sh             check
#   hack/vuln.sh --update    first pin the newest version of the vulnerabilities, then check
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pinned() { (cd hack/tools/indexdb && GOWORK=off go list -m -f '{{.Version}}' golang.org/x/vulndb); }

if [[ ${1:-} == --update ]]; then
	(cd hack/tools/indexdb && GOWORK=off go get golang.org/x/vulndb@latest && GOWORK=off go mod tidy)
	make bin/indexdb
fi

# Only one Go version is checked, so every way to an image must use it.
go=$(awk '$1 == "toolchain" {print $2}' go.mod)
grep -q "golang:${go#go} AS" Dockerfile || { echo "the Dockerfile does not build with $go, the toolchain of go.mod" >&2; exit 1; }

version=$(pinned)
database=bin/vulndb/$version
if [[ ! -d $database ]]; then
	module=$(cd hack/tools/indexdb && GOWORK=off go mod download -json golang.org/x/vulndb | awk -F'"' '$2 == "Dir" {print $4}')
	rm -rf bin/vulndb
	bin/indexdb -vulns "$module/data/osv" -out "$database.new"
	mv "$database.new" "$database"
fi

found=$(mktemp)
trap 'rm -f "$found"' EXIT
echo "==> looking in ./... for vulnerabilities known to golang.org/x/vulndb $version (minutes)"
GOTOOLCHAIN=$go bin/govulncheck -format json -db "file://$PWD/$database" ./... >"$found"
go run ./hack/vuln <"$found"
echo "the code reaches no known vulnerability, except those in hack/vuln/accepted.yaml"
