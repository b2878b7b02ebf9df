// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package parties

import (
	"fmt"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// Hire returns a new person, who is in no request yet and whom no party works on by itself.
func (o *Organization) Hire(what string) *Subject {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.hire(what)
}

// Team returns a new group, which is in no request yet and which no party works on by itself.
func (o *Organization) Team() *Subject {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.number++
	name := fmt.Sprintf("Team %d", o.number)
	s := &Subject{Key: o.Name + "/" + v1alpha1.FoldDisplayName(name), Name: name}
	o.allGroups = append(o.allGroups, s)
	return s
}
