// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package promises

import (
	"fmt"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// checkerPatience bounds the search for an order of one history. If it finds no answer in time, that counts as a Violation, so that
// nothing is skipped silently.
const checkerPatience = 20 * time.Second

// Linearizable returns the subjects whose history has no order in which every answer is right. It draws each of them into a file whose
// path begins with pictures; without pictures it draws nothing.
func Linearizable[In, Out any](what string, all []Operation[In, Out], model porcupine.Model, pictures string) []Violation {
	var found []Violation
	for subject, part := range BySubject(all) {
		result, info := porcupine.CheckOperationsVerbose(model, forPorcupine(part), checkerPatience)
		if result == porcupine.Ok {
			continue
		}
		detail := fmt.Sprintf("%s: no order of its %d operations explains the answers", result, len(part))
		if pictures != "" {
			detail += ", see " + draw(model, info, pictures+strings.Map(fileRune, subject)+".html")
		}
		found = append(found, Violation{Check: "linearizable " + what, Whom: subject, Detail: detail})
	}
	return found
}

// draw returns where the picture is, or why there is none.
func draw(model porcupine.Model, info porcupine.LinearizationInfo, path string) string {
	if err := porcupine.VisualizePath(model, info, path); err != nil {
		return err.Error()
	}
	return path
}

// forPorcupine converts operations; those with lost answers end after all others.
func forPorcupine[In, Out any](part []Operation[In, Out]) []porcupine.Operation {
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
