#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds etcd, kube-apiserver, kube-controller-manager and kubectl from their Go modules, as pinned
# in go.mod here, into bin/k8s/<version>-<os>-<arch>/. It downloads no binary. A second run does nothing; see hack/compile.sh.
#
#   build.sh          build missing programs
#   build.sh --dir    only print the folder
set -euo pipefail

module=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$module/../.." && pwd)
# shellcheck source=../compile.sh
source "$root/hack/compile.sh"
version=$(sed -n 's/^.*k8s\.io\/kubernetes v\([0-9][^ ]*\).*$/\1/p' "$module/go.mod" | head -n 1)
assets="$root/bin/k8s/$version-$(go env GOOS)-$(go env GOARCH)"

if [[ "${1:-}" == --dir ]]; then
	echo "$assets"
	exit
fi

# Components compare and report their version. Without these flags it is v0.0.0-master, which kubectl refuses.
kubernetes_ldflags() {
	local date package
	date=$(go list -m -f '{{.Time.Format "2006-01-02T15:04:05Z"}}' k8s.io/kubernetes)
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		printf -- '-X %s=%s ' \
			"$package.gitVersion" "v$version" \
			"$package.gitMajor" "$(cut -d. -f1 <<<"$version")" \
			"$package.gitMinor" "$(cut -d. -f2 <<<"$version")" \
			"$package.gitCommit" "built-from-go-module" \
			"$package.gitTreeState" "clean" \
			"$package.buildDate" "$date"
	done
}

compile_into "$module" "$assets" "the control plane"
echo "building a Kubernetes $version control plane into ${assets#"$root"/}; this is done once and takes some minutes on a small machine"
echo "==> $(elapsed)  downloading modules"
go mod download go.etcd.io/etcd/server/v3 k8s.io/kubernetes
ldflags=$(kubernetes_ldflags)
compile etcd go.etcd.io/etcd/server/v3 ""
for name in kube-apiserver kube-controller-manager kubectl; do
	compile "$name" "k8s.io/kubernetes/cmd/$name" "$ldflags"
done
compiled
