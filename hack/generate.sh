#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Generates these files from Go code and its markers:
#
#   api/**/zz_generated.deepcopy.go            from the types
#   api/applyconfiguration/                    from the types
#   config/crd/bases/                          from the types and their +kubebuilder markers
#   config/rbac/role.yaml                      from the +kubebuilder:rbac markers
#
# and these files from config/:
#
#   charts/lambdatest-operator/templates/crds/, _rules.tpl, admission_policy.yaml
#   config/overlays/single-namespace/operator/role.yaml
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

header=hack/boilerplate.go.txt

# Otherwise files of removed types and kinds would stay.
rm -rf config/crd/bases api/applyconfiguration

bin/controller-gen \
	object:headerFile=$header \
	applyconfiguration:headerFile=$header \
	crd output:crd:dir=config/crd/bases \
	paths=./api/...

role_paths=()
for folder in controllers scimserver; do
	[[ -d $folder ]] && role_paths+=("paths=./$folder/...")
done
[[ -f main.go ]] && role_paths+=("paths=.")
if ((${#role_paths[@]})); then
	bin/controller-gen rbac:roleName=lambdatest-operator "${role_paths[@]}" output:rbac:dir=config/rbac
fi

go run ./hack/chart
