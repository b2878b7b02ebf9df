// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

// Command archives writes what people download to get `kubectl lambdatest`: for each platform an archive with the program and the
// licences, checksums.txt, which sha256sum --check reads, and lambdatest.yaml, which krew installs from. The same commit gives the same
// bytes. It is a build tool: nothing that ships imports it.
//
//	archives -version v1.2.3 -platforms linux/amd64,windows/amd64 <folder> <file to put beside the program>...
package main
