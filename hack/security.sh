#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs the checks of docs/security.md: the linters (with gosec), the licences of the shipped binary, the tests of pure functions, and the
# specs with the label security; then prints the results. `make security` calls it; it needs bin/golangci-lint, bin/helm and
# KUBEBUILDER_ASSETS.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

echo "==> linters, including gosec"
bin/golangci-lint run --allow-parallel-runners

echo "==> licences"
go run ./hack/licences

echo "==> pure functions"
pure='^Test(DialControl|UpstreamHosts|AName|Redirects|DialControlDecides|PrintingAClient|AnErrorRepeats|AnErrorShortens|NewRefuses|AnAnswerThat|AListThat|ASweepOf|NoManifestIs|ExportWrites|AFolderOf|AddressIs|AStatusProves|ASearchThat|ACreationThat|ParseSCIMTokens|SCIMUserName|Nesting|ElementCount|ErrorDetails|Recognise|EveryTextOfTheAPI|ResourceName|Pinned|NothingThatIsPrinted|EscapedOutput|AModuleIs|Judge|AFinding|AScan)'
go test ./api/v1alpha1 ./cli ./controllers/... ./lambdatest/... ./scimserver/... ./hack/licences ./hack/pins ./hack/vuln -count=1 -run "$pure" -v |
	sed -nE 's/^--- (PASS|FAIL): (Test[A-Za-z]+).*/  \1  \2/p'

mkdir -p out
reports=()
status=0
# specs <package> <name> [label filter]
specs() {
	local report=$PWD/out/security-$2.json
	reports+=("$report")
	echo "==> $1"
	rm -f "$report"
	go test "$1" -count=1 -timeout 30m -args -ginkgo.no-color -ginkgo.succinct -ginkgo.label-filter="${3:-}" -ginkgo.json-report="$report" \
		>"out/security-$2.log" 2>&1 || { status=1; tail -n 60 "out/security-$2.log"; }
}
specs ./test/security attacks security
specs ./config/policy policy
specs ./scimserver scimserver security
specs ./controllers controllers 'security || odd-values || faulty-api'
specs ./test/install install security

go run ./hack/security "${reports[@]}"
exit "$status"
