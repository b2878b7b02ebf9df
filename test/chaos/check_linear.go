// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// violation is a broken promise.
type violation struct {
	Check  string `json:"check"`
	Whom   string `json:"whom"`
	Detail string `json:"detail"`
}

// checkerPatience bounds the search for an order of one history. If it finds no answer in time, that counts as a violation, so that
// nothing is skipped silently.
const checkerPatience = 20 * time.Second

// linearizable returns the subjects whose history has no order in which every answer is right, and writes a picture of each into dir.
func linearizable[In, Out any](what string, all []operation[In, Out], model porcupine.Model, dir string) []violation {
	var found []violation
	for subject, part := range bySubject(all) {
		result, info := porcupine.CheckOperationsVerbose(model, forPorcupine(part), checkerPatience)
		if result == porcupine.Ok {
			continue
		}
		picture := filepath.Join(dir, "chaos-"+strings.Map(fileRune, subject)+".html")
		if err := porcupine.VisualizePath(model, info, picture); err != nil {
			picture = err.Error()
		}
		found = append(found, violation{
			Check: "linearizable " + what, Whom: subject,
			Detail: fmt.Sprintf("%s: no order of its %d operations explains the answers, see %s", result, len(part), picture),
		})
	}
	return found
}

// forPorcupine converts operations; those with lost answers end after all others.
func forPorcupine[In, Out any](part []operation[In, Out]) []porcupine.Operation {
	operations := make([]porcupine.Operation, len(part))
	for i, o := range part {
		operations[i] = porcupine.Operation{ClientId: o.Client, Input: o.In, Output: o.Out, Call: int64(o.Call), Return: int64(o.Return)}
	}
	return operations
}

func fileRune(r rune) rune {
	if r == '/' || r == '@' || r == ' ' {
		return '-'
	}
	return r
}
