#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Checks everything that is shipped besides the code: workflows, kustomize overlays, chart, image, archives of the command line; then
# installs the product in each way into a real API server and provisions somebody (test/install). `make package` calls it, with bin/helm
# and bin/actionlint built and KUBEBUILDER_ASSETS set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

chart=charts/lambdatest-operator
# Reads and writes nothing in the home folder.
HELM_HOME=$(mktemp -d)
trap 'rm -rf "$HELM_HOME"' EXIT
export HELM_CACHE_HOME=$HELM_HOME/cache HELM_CONFIG_HOME=$HELM_HOME/config HELM_DATA_HOME=$HELM_HOME/data

objects() { grep --count '^kind: '; }

echo "==> workflows"
bin/actionlint
echo "    $(find .github/workflows -name '*.yml' | wc -l) workflows, no complaint"

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
	echo "    what follows runs the program out of this image"
else
	unset OPERATOR_BINARY
	echo "    skipped: there is no buildah here (apt-get install buildah); what follows builds the program itself"
fi

echo "==> command line, for this machine and for Windows; a release has all platforms"
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

echo "==> installing, in each way"
# Charts and manifests are read by other programs, which Go's test cache does not see.
go test ./test/install -count=1 -v -timeout 15m -args -ginkgo.no-color -ginkgo.json-report="$PWD/out/package.json"
