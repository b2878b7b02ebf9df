#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the operator as one static binary. The build is reproducible: the binary contains no path, time, user or state of the repository,
# so it is the same on every machine. GOOS and GOARCH choose the platform, VERSION the output of --version.
#
#   hack/build.sh <file>
set -euo pipefail
file=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CGO_ENABLED=0 GOWORK=off go build -trimpath -buildvcs=false \
	-ldflags "-s -w -buildid= -X main.version=${VERSION:-development}" -o "$file" .
