// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestRecognise(t *testing.T) {
	const (
		mit  = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software … to deal in the Software without restriction … THE SOFTWARE IS PROVIDED "AS IS"`
		bsd2 = "Redistribution and use in source and binary forms, with or without\n// modification, are permitted … THIS SOFTWARE IS PROVIDED"
		bsd3 = bsd2 + " … Neither the name … may be used to endorse or promote products derived from this software"
	)
	for name, test := range map[string]struct {
		text string
		want []string // nil: refused
	}{
		"MIT":                           {mit, []string{"MIT"}},
		"BSD with two clauses":          {bsd2, []string{"BSD-2-Clause"}},
		"BSD with three clauses":        {bsd3, []string{"BSD-3-Clause"}},
		"two in one file":               {mit + bsd3, []string{"MIT", "BSD-3-Clause"}},
		"an unknown one":                {"Do what you want.", nil},
		"nothing":                       {"", nil},
		"the GPL":                       {"GNU General Public License version 3", nil},
		"an allowed one beside the GPL": {mit + " or the GNU\nLesser General Public License", nil},
		"BSD with four clauses":         {bsd3 + " All advertising materials mentioning", nil},
		"MIT with the Commons Clause":   {"“Commons Clause” License Condition v1.0. " + mit, nil},
		"the Mozilla licence":           {"Mozilla Public License Version 2.0", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := recognise(test.text)
			if (err != nil) != (test.want == nil) || !slices.Equal(got, test.want) {
				t.Errorf("recognised %v, %v; want %v", got, err, test.want)
			}
		})
	}
}

func TestAModuleIsJudgedByTheFoldersThatAreUsed(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	judge := func(folder string) error {
		m := module{Path: "example.com/m", Dir: dir, folders: map[string]bool{folder: true}}
		return m.judge()
	}
	write("used/a.go", "package used")
	if judge("used") == nil {
		t.Error("a module without a licence passed")
	}
	write("LICENSE.md", "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted")
	write("third_party/inner/COPYING", "GNU General Public License")
	write("third_party/inner/used/b.go", "package used")
	if err := judge("used"); err != nil {
		t.Errorf("the licence of an unused folder was checked: %v", err)
	}
	if judge("third_party/inner/used") == nil {
		t.Error("a licence above a used folder was not checked")
	}
}
