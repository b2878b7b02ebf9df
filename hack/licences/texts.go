// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"
)

// licence is recognised by words that it must contain and, if it is part of a longer licence, by words that it must not contain.
type licence struct {
	name   string
	words  []string
	absent []string
}

// allowed are the licences that only require a copy of their text.
var allowed = []licence{
	{name: "Apache-2.0", words: []string{"apache license", "version 2.0, january 2004", "grant of copyright license", "grant of patent license"}},
	{name: "MIT", words: []string{
		"permission is hereby granted, free of charge, to any person obtaining a copy", "to deal in the software without restriction", "the software is provided \"as is\""}},
	{name: "BSD-3-Clause", words: []string{
		"redistribution and use in source and binary forms, with or without modification, are permitted",
		"be used to endorse or promote products derived from this software", "this software is provided"}},
	{name: "BSD-2-Clause", words: []string{
		"redistribution and use in source and binary forms, with or without modification, are permitted", "this software is provided"},
		absent: []string{"endorse or promote products", "all advertising materials"}},
	{name: "ISC", words: []string{
		"permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted"}},
	{name: "ISC", words: []string{
		"permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted"}},
}

// foreign are words of licences that require more. They are refused even next to an allowed licence in the same file.
var foreign = []string{
	"gnu general public license", "gnu lesser general public license", "gnu affero", "gnu library general public license",
	"mozilla public license", "eclipse public license", "common development and distribution license", "server side public license",
	"business source license", "commons clause", "elastic license", "creative commons", "all advertising materials",
	"polyform", "functional source license", "european union public licence", "microsoft public license",
}

// recognise returns the names of the licences in a text. A file may contain several.
func recognise(text string) ([]string, error) {
	plain := strings.Join(strings.Fields(strings.ToLower(strings.NewReplacer("“", `"`, "”", `"`, "``", `"`, "''", `"`, "*", " ", "//", " ", "#", " ").Replace(text))), " ")
	for _, words := range foreign {
		if strings.Contains(plain, words) {
			return nil, fmt.Errorf("it mentions the %q, which is not allowed", words)
		}
	}
	var names []string
	for _, candidate := range allowed {
		if candidate.in(plain) {
			names = append(names, candidate.name)
		}
	}
	if len(names) == 0 {
		return nil, errors.New("it is not recognised as an allowed licence")
	}
	return names, nil
}

func (l licence) in(plain string) bool {
	for _, words := range l.words {
		if !strings.Contains(plain, words) {
			return false
		}
	}
	for _, words := range l.absent {
		if strings.Contains(plain, words) {
			return false
		}
	}
	return true
}
