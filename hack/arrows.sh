#!/usr/bin/env bash
# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Prints the imports between the packages that ship, without tests: the list in docs/architecture.md.
# With --check it fails when that list differs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

module=$(go list -m)
arrows() {
	go list -f '{{.ImportPath}}{{range .Imports}} {{.}}{{end}}' . ./api/v1alpha1 ./audit ./cli ./controllers/... ./scimserver/... ./lambdatest/... ./lease ./replica |
		awk -v module="$module" '
			{
				name = $1 == module ? "main" : substr($1, length(module) + 2)
				line = name " ->"
				for (i = 2; i <= NF; i++) if (index($i, module "/") == 1) line = line " " substr($i, length(module) + 2)
				print line
			}' | sort
}

if [[ ${1-} != --check ]]; then
	arrows
	exit
fi
diff <(sed -n '/^<!-- arrows -->$/,/^<!-- \/arrows -->$/p' docs/architecture.md | grep -e ' ->') <(arrows)
