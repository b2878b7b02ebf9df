#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Writes the files of a release, except its image:
#
#   - the packaged chart;
#   - a manifest of config/default and one of the single-namespace overlay, for use without Helm and kustomize;
#   - the licences of everything in the binary;
#   - `kubectl lambdatest` for every platform, with checksums and krew's manifest.
#
# The manifests name the image by the given reference, the chart by its version.
#
#   hack/release.sh v1.2.3 ghcr.io/lambdatest-operator/lambdatest-operator@sha256:… <folder>
set -euo pipefail
tag=$1 image=$2
mkdir -p "$3"
folder=$(realpath "$3")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ $tag =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || { echo "$tag is not a version such as v1.2.3" >&2; exit 1; }

bin/helm package charts/lambdatest-operator --version "${tag#v}" --app-version "${tag#v}" --destination "$folder" >/dev/null

# manifest <folder below config> <file>
manifest() {
	kubectl kustomize "config/$1" | sed -E "s#^( +)image: ghcr.io/.*#\1image: $image#" >"$folder/$2"
	grep -q "image: $image" "$folder/$2" || { echo "$2 does not name $image" >&2; exit 1; }
}
manifest default install.yaml
manifest overlays/single-namespace install-single-namespace.yaml
go run ./hack/licences -texts "$folder/third-party-licences.txt"
go run ./hack/archives -version "$tag" "$folder" LICENSE "$folder/third-party-licences.txt"
ls -l "$folder"
