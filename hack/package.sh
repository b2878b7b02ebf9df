#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Checks the workflows, kustomize overlays, chart, image and archives of the command line. Then it installs the product in each way into
# a real API server and provisions a person (test/install). `make package` calls it; it needs bin/helm, bin/actionlint and
# KUBEBUILDER_ASSETS.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

chart=charts/lambdatest-operator
# Do not use the home folder.
HELM_HOME=$(mktemp -d)
trap 'rm -rf "$HELM_HOME"' EXIT
export HELM_CACHE_HOME=$HELM_HOME/cache HELM_CONFIG_HOME=$HELM_HOME/config HELM_DATA_HOME=$HELM_HOME/data

objects() { grep --count '^kind: '; }

echo "==> workflows"
bin/actionlint
echo "    $(find .github/workflows -name '*.yml' | wc -l) workflows, no problem"

echo "==> kustomize"
for folder in config/default config/overlays/*/; do
	echo "    ${folder%/}: $("$KUBEBUILDER_ASSETS/kubectl" kustomize "$folder" | objects) objects"
done

echo "==> chart"
bin/helm lint --strict --quiet $chart
echo "    no values: $(bin/helm template release $chart | objects) objects"
for values in "$chart"/ci/*-values.yaml; do
	bin/helm lint --strict --quiet $chart --values "$values"
	echo "    ${values#"$chart"/}: $(bin/helm template release $chart --values "$values" | objects) objects"
done

echo "==> image"
if command -v buildah >/dev/null; then
	hack/image.sh
	export OPERATOR_BINARY=$PWD/bin/image/manager
	echo "    the following tests run the program from this image"
else
	unset OPERATOR_BINARY
	echo "    skipped: buildah is not installed (apt-get install buildah); the following tests build the program themselves"
fi

echo "==> command line, only for this machine and for Windows; a release has all platforms"
here=$(go env GOOS)/$(go env GOARCH)
archives=bin/archives
rm -rf $archives
mkdir -p $archives
go run ./hack/licences -texts $archives/third-party-licences.txt
go run ./hack/archives -version v0.0.0 -platforms "$here,windows/amd64" $archives LICENSE $archives/third-party-licences.txt
(cd $archives && sha256sum --check checksums.txt && tar -xzf "kubectl-lambdatest_v0.0.0_${here/\//_}.tar.gz")
cmp LICENSE $archives/LICENSE
$archives/kubectl-lambdatest --version
$archives/kubectl-lambdatest --help >/dev/null

echo "==> every way to install"
# -count=1, because Go's test cache does not notice changes of charts and manifests, which other programs read.
go test ./test/install -count=1 -v -timeout 15m -args -ginkgo.no-color -ginkgo.json-report="$PWD/out/package.json"
