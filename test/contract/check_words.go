// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// words are the reasons that the documentation explains.
type words struct {
	users, groups, organizations map[string]bool
}

var (
	tableRow   = regexp.MustCompile("(?m)^\\| (`[A-Z][^|]*) \\|")
	reasonWord = regexp.MustCompile("`([A-Z][A-Za-z]+)`")
)

// documentedWords reads the tables of reasons.
func documentedWords() (*words, error) {
	var all [3]map[string]bool
	for i, page := range []string{"docs/users.md", "docs/groups.md", "docs/organizations.md"} {
		content, err := moduleFile(page)
		if err != nil {
			return nil, err
		}
		all[i] = map[string]bool{}
		for _, row := range tableRow.FindAllStringSubmatch(content, -1) {
			for _, reason := range reasonWord.FindAllStringSubmatch(row[1], -1) {
				all[i][reason[1]] = true
			}
		}
		if len(all[i]) == 0 {
			return nil, fmt.Errorf("%s has no table of reasons", page)
		}
	}
	w := &words{users: all[0], groups: all[1], organizations: all[2]}
	for reason := range w.users {
		w.groups[reason] = true // the table of groups refers to that of users
	}
	return w, nil
}

// checkWords checks that every condition can be understood by somebody who reads only it.
func (s *story) checkWords(shot *snapshot) {
	for _, object := range shot.objects() {
		reasons := s.run.words.organizations
		switch object.(type) {
		case *v1alpha1.LambdaTestUser:
			reasons = s.run.words.users
		case *v1alpha1.LambdaTestGroup:
			reasons = s.run.words.groups
		}
		for _, condition := range object.(conditioned).GetConditions() {
			if wrong := illegible(condition, reasons); wrong != "" {
				s.violate("words", object.GetName(), "%s: %s, %s: %q", wrong, condition.Type, condition.Reason, condition.Message)
			}
		}
	}
}

type conditioned interface {
	client.Object
	GetConditions() []metav1.Condition
}

func conditionsOf(object client.Object) string {
	var all []string
	for _, condition := range object.(conditioned).GetConditions() {
		all = append(all, fmt.Sprintf("%s=%s %s: %s", condition.Type, condition.Status, condition.Reason, condition.Message))
	}
	return strings.Join(all, "; ")
}

var (
	// advice is what tells a reader to act, or that nothing is to be done.
	advice = regexp.MustCompile(`(?i)\b(by itself|repeated|nothing needs|follows?|again|delete|create|correct|put|set|change|deactivate|approve|declare|rename|remove|move|annotate|check|see|choose)\b`)
	// noise is what a program writes and a person does not.
	noise = regexp.MustCompile(`%!|<[a-z!/]|map\[|&\{|0x[0-9a-f]|<nil>|\n|\.\.|  |: :|\(\)`)
	// sentence is how a message ends: with a full stop, or with a command to copy.
	sentence = regexp.MustCompile(`(\.|: kubectl .+)$`)
)

const longestMessage = 700

// illegible says what is wrong with a condition, or "".
func illegible(c metav1.Condition, reasons map[string]bool) string {
	ready := c.Type == v1alpha1.ReadyCondition
	switch {
	case ready && !reasons[c.Reason]:
		return "the documentation does not explain the reason"
	case c.Message == "":
		return "there is no message"
	case len(c.Message) > longestMessage:
		return "the message is too long"
	case noise.MatchString(c.Message):
		return fmt.Sprintf("the message contains %q", noise.FindString(c.Message))
	case !sentence.MatchString(c.Message):
		return "the message does not end as a sentence"
	case ready && c.Status != metav1.ConditionTrue && !advice.MatchString(c.Message):
		return "the message does not say what to do"
	}
	return ""
}
