// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"text/template"
)

// krewManifest is the manifest for `kubectl krew install --manifest-url`.
var krewManifest = template.Must(template.New("krew").Parse(`apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: lambdatest
spec:
  version: {{.Version}}
  homepage: https://github.com/lambdatest-operator/lambdatest-operator
  shortDescription: Manage the users of a LambdaTest organization
  description: |
    Shows who is not what they should be at LambdaTest and why, previews changes, exports people as manifests,
    answers the guard against mass removals and manages SCIM tokens. Needs lambdatest-operator in the cluster.
  platforms:
{{- range .Archives}}
  - selector:
      matchLabels:
        os: {{.OS}}
        arch: {{.Arch}}
    uri: https://github.com/lambdatest-operator/lambdatest-operator/releases/download/{{$.Version}}/{{.Name}}
    sha256: {{.SHA256}}
    bin: {{.Program}}
{{- end}}
`))

func (r *release) writeKrew(name string, archives []archive) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	content := struct {
		Version  string
		Archives []archive
	}{r.version, archives}
	if err := krewManifest.Execute(file, content); err != nil {
		return err
	}
	return file.Close()
}
