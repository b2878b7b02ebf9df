#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Fails unless a tag may be released: it reads like v1.2.3, and its commit is one of origin/main, which has passed review. It runs in the
# repository of the working directory, before anything is built, pushed or signed.
#
#   hack/tag.sh v1.2.3 <commit>
set -euo pipefail
tag=$1 commit=$2

[[ $tag =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || { echo "$tag is no version like v1.2.3" >&2; exit 1; }
git merge-base --is-ancestor "$commit" refs/remotes/origin/main || { echo "$tag is not on main: only reviewed commits are released" >&2; exit 1; }
