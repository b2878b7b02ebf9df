#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the operator, one static binary, the same byte for byte wherever and whenever it is built: no path, time, user or state of the
# repository goes into it. GOOS and GOARCH choose the platform, VERSION what --version says.
#
#   hack/build.sh <file>
set -euo pipefail
file=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CGO_ENABLED=0 GOWORK=off go build -trimpath -buildvcs=false \
	-ldflags "-s -w -buildid= -X main.version=${VERSION:-development}" -o "$file" .
