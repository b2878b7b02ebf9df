#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs every Fuzz function of every package, one after the other, because go test can fuzz only one at a time.
#
#   hack/fuzz.sh <time for each, such as 30s>
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

time=${1:-30s}
found=0
while IFS=: read -r file name; do
	found=$((found + 1))
	echo "==> $(dirname "$file") $name, $time"
	go test "./$(dirname "$file")" -run '^$' -fuzz "^$name\$" -fuzztime "$time"
done < <(git grep --untracked --only-matching --extended-regexp '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | sed "s/:func /:/")
echo "$found fuzz targets, no failure"
