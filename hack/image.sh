#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the operator's image for every platform with buildah, from binaries that are built here, so it pulls no image. It builds each
# image twice and fails if the two differ. Then it starts the program in the image for this machine's platform, and copies that program to
# bin/image/manager.
#
#   PLATFORMS="linux/amd64 linux/arm64" VERSION=v0.1.0 hack/image.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

platforms=${PLATFORMS:-linux/amd64 linux/arm64}
here="linux/$(go env GOARCH)"
export VERSION=${VERSION:-development}
revision=$(git rev-parse HEAD)
# All files and the image get the time of the commit.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}

out=bin/image
rm -rf $out
mkdir -p $out
scratch=$(mktemp -d)
storage=$scratch/storage
images() { buildah --storage-driver vfs --root "$storage/root" --runroot "$storage/run" "$@"; }
tidy_up() {
	images rm --all >/dev/null 2>&1 || true
	rm -rf "$scratch"
}
trap tidy_up EXIT

# binary <platform> builds the binary in two folders; both must be equal.
binary() {
	local file
	file="$PWD/$out/${1/\//-}/manager"
	GOOS=${1%/*} GOARCH=${1#*/} "$scratch/sources/hack/build.sh" "$file"
	GOOS=${1%/*} GOARCH=${1#*/} "$scratch/elsewhere/sources/hack/build.sh" "$scratch/manager"
	cmp "$file" "$scratch/manager" || { echo "two builds of the binary for $1 differ" >&2; return 1; }
}

# image <platform> <tag> prints its digest.
image() {
	images bud --quiet --isolation chroot --platform "$1" --timestamp "$SOURCE_DATE_EPOCH" \
		--build-arg BINARY=prebuilt --build-arg VERSION="$VERSION" --build-arg REVISION="$revision" --tag "$2" . >/dev/null
	images inspect --type image --format '{{.FromImageDigest}}' "$2"
}

# Build from copies, so that the sources do not change between the two builds.
mkdir -p "$scratch/sources" "$scratch/elsewhere"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
	[[ ! -e $file ]] || printf '%s\0' "$file"
done | tar --create --null --files-from=- | tar --extract --directory="$scratch/sources"
cp -R "$scratch/sources" "$scratch/elsewhere"

for platform in $platforms; do
	binary "$platform"
	first=$(image "$platform" "operator-${platform/\//-}:first")
	second=$(image "$platform" "operator-${platform/\//-}:second")
	[[ $first == "$second" ]] || { echo "two builds of the image for $platform differ: $first, $second" >&2; exit 1; }
	echo "image for $platform: two builds are equal: $first"
done

[[ " $platforms " == *" $here "* ]] || exit 0
container=$(images from "operator-${here/\//-}:first")
echo "output of --version in the image, as user $(images inspect --format '{{.OCIv1.Config.User}}' "$container"):" \
	"$(images run --isolation chroot "$container" -- /manager --version)"
cp "$(images mount "$container")/manager" $out/manager
