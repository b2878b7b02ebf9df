#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds Flux's source-controller and kustomize-controller from their Go modules, as pinned in go.mod here, into
# bin/flux/<version>-<os>-<arch>/, with their CRDs in crds/. It downloads no binary. A second run does nothing; see hack/compile.sh.
#
#   build.sh          build missing programs
#   build.sh --dir    only print the folder
set -euo pipefail

module=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$module/../.." && pwd)
# shellcheck source=../compile.sh
source "$root/hack/compile.sh"
version=$(sed -n 's/^.*github\.com\/fluxcd\/kustomize-controller v\([0-9][^ ]*\).*$/\1/p' "$module/go.mod" | head -n 1)
folder="$root/bin/flux/$version-$(go env GOOS)-$(go env GOARCH)"

if [[ "${1:-}" == --dir ]]; then
	echo "$folder"
	exit
fi

compile_into "$module" "$folder" Flux
echo "building Flux's controllers $version into ${folder#"$root"/}; this is done once and takes some minutes on a small machine"
echo "==> $(elapsed)  downloading modules"
go mod download github.com/fluxcd/source-controller github.com/fluxcd/kustomize-controller
mkdir -p "$folder/crds"
for name in source-controller kustomize-controller; do
	compile "$name" "github.com/fluxcd/$name" ""
	install -m 0644 "$(go list -m -f '{{.Dir}}' "github.com/fluxcd/$name")"/config/crd/bases/*.yaml "$folder/crds/"
done
compiled
