// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command archives writes the downloads for `kubectl lambdatest`: for each platform an archive with the program and the licences;
// checksums.txt, for sha256sum --check; and lambdatest.yaml, the manifest for krew. The same commit always gives the same bytes. It is a
// build tool: nothing that ships imports it.
//
//	archives -version v1.2.3 -platforms linux/amd64,windows/amd64 <folder> <file to put beside the program>...
package main
