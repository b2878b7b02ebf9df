#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Looks for known vulnerabilities in everything that is built here, with the Go version that releases are built with. The vulnerabilities are
# those of the module golang.org/x/vulndb that hack/tools/indexdb pins: no request tells anybody what is used here, and the same commit is
# always judged the same. `make vuln` calls it, with bin/govulncheck and bin/indexdb built.
#
#   hack/vuln.sh             judge
#   hack/vuln.sh --update    take the newest vulnerabilities first, and pin them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pinned() { (cd hack/tools/indexdb && GOWORK=off go list -m -f '{{.Version}}' golang.org/x/vulndb); }

if [[ ${1:-} == --update ]]; then
	(cd hack/tools/indexdb && GOWORK=off go get golang.org/x/vulndb@latest && GOWORK=off go mod tidy)
	make bin/indexdb
fi

# Only one Go version is judged, so all ways to a release must use it.
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
echo "no known vulnerability is reached that hack/vuln/accepted.yaml does not explain"
