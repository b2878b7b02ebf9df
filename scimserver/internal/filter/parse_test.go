// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"testing"

	measure "github.com/scim2/filter-parser/v2"
)

// scim2/filter-parser is the measure: what it understands, this parser understands in the same way.
func TestParserAgreesWithFilterParser(t *testing.T) {
	for _, text := range []string{
		`userName eq "bjensen"`, `name.familyName co "O'Malley"`, `userName sw "J"`, `title pr`, `a gt 5`, `a eq -1.5e3`,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`, `meta.lastModified ge "2011-05-13T04:42:34Z"`,
		`title pr and userType eq "Employee"`, `title pr or userType eq "Intern"`, `a pr and b pr or c pr and d pr`,
		`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`,
		`userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`,
		`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`,
		`not(a pr)`, `a eq true`, `a eq null`,
	} {
		t.Run(text, func(t *testing.T) {
			theirs, err := measure.ParseFilterNumber([]byte(text))
			if err != nil {
				t.Fatalf("the measure refuses it: %v", err)
			}
			ours, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := describeOurs(ours), describeTheirs(theirs); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func describeOurs(e Expression) string {
	switch e := e.(type) {
	case *Logical:
		return fmt.Sprintf("(%s %s %s)", describeOurs(e.Left), map[bool]string{true: "or", false: "and"}[e.Or], describeOurs(e.Right))
	case *Not:
		return "not" + describeOurs(e.Inner)
	case *Elements:
		return fmt.Sprintf("%s[%s]", e.Path, describeOurs(e.Inner))
	case *Comparison:
		return fmt.Sprintf("%s %s %v", e.Path, e.Op, e.Value)
	default:
		return "?"
	}
}

func describeTheirs(e measure.Expression) string {
	switch e := e.(type) {
	case *measure.LogicalExpression:
		return fmt.Sprintf("(%s %s %s)", describeTheirs(e.Left), e.Operator, describeTheirs(e.Right))
	case *measure.NotExpression:
		return "not" + describeTheirs(e.Expression)
	case *measure.ValuePath:
		return fmt.Sprintf("%s[%s]", e.AttributePath, describeTheirs(e.ValueFilter))
	case *measure.AttributeExpression:
		return fmt.Sprintf("%s %s %v", e.AttributePath, e.Operator, e.CompareValue)
	default:
		return "?"
	}
}
