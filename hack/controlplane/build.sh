#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds etcd, kube-apiserver, kube-controller-manager and kubectl from their Go modules, as pinned
# in go.mod here, into bin/k8s/<version>-<os>-<arch>/. No binary is downloaded. Done once: when
# nothing changed the call returns at once, and after an interruption it goes on from Go's build cache.
#
#   build.sh          build what is missing
#   build.sh --dir    print the folder and do nothing else
set -euo pipefail

module=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$module/../.." && pwd)
version=$(sed -n 's/^.*k8s\.io\/kubernetes v\([0-9][^ ]*\).*$/\1/p' "$module/go.mod" | head -n 1)
assets="$root/bin/k8s/$version-$(go env GOOS)-$(go env GOARCH)"

if [[ "${1:-}" == --dir ]]; then
	echo "$assets"
	exit
fi

fingerprint=$(cat "$module/go.mod" "$module/go.sum" | cksum)
stamp="$assets/.built-from"
is_built() { [[ -f "$stamp" && "$(cat "$stamp")" == "$fingerprint" ]]; }

is_built && exit
mkdir -p "$assets"

# Two builds at once (two terminals, two jobs) would only slow each other down. Without flock,
# as on macOS, they still do no harm: binaries are renamed into place.
if command -v flock >/dev/null; then
	exec 9>"$assets/.lock"
	flock --nonblock 9 || { echo "another build of the control plane is running, waiting for it"; flock 9; }
	is_built && exit
fi

cd "$module"
export CGO_ENABLED=0 GOWORK=off
scratch=$(mktemp -d "$assets/.building.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

elapsed() { printf '%dm%02ds' $((SECONDS / 60)) $((SECONDS % 60)); }

# progress reads what go build -v prints, a package a line, keeps it in the log and says every 20 seconds how far
# the build is, so that a long compilation does not look like a hang.
progress() {
	local name=$1 count=0 due=$((SECONDS + 20)) line status
	while true; do
		status=0
		IFS= read -r -t 5 line || status=$?
		if ((status == 0)); then
			echo "$line" >>"$scratch/log"
			count=$((count + 1))
		elif ((status <= 128)); then # more than 128 is the timeout, less the end
			return
		fi
		if ((SECONDS >= due)); then
			echo "    $(elapsed)  $name: $count packages compiled"
			due=$((SECONDS + 20))
		fi
	done
}

# build <name> <package> <ldflags>: the binary appears under its name only when it is complete.
build() {
	local name=$1 package=$2 ldflags=$3
	echo "==> $(elapsed)  $name"
	: >"$scratch/log"
	if ! go build -v -trimpath -ldflags "-s -w $ldflags" -o "$scratch/$name" "$package" 2>&1 | progress "$name"; then
		tail -n 40 "$scratch/log" >&2
		echo "building $name stopped; run it again to go on from here" >&2
		exit 1
	fi
	mv "$scratch/$name" "$assets/$name"
}

# Components compare and announce their version; unstamped ones say v0.0.0-master and kubectl refuses them.
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

echo "building a Kubernetes $version control plane into ${assets#"$root"/}, once; some minutes on a small machine"
echo "==> $(elapsed)  downloading modules"
go mod download go.etcd.io/etcd/server/v3 k8s.io/kubernetes
ldflags=$(kubernetes_ldflags)
build etcd go.etcd.io/etcd/server/v3 ""
for name in kube-apiserver kube-controller-manager kubectl; do
	build "$name" "k8s.io/kubernetes/cmd/$name" "$ldflags"
done
echo "$fingerprint" >"$stamp"
echo "==> $(elapsed)  done"
