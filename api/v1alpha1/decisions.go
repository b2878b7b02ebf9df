// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import "strings"

// Decision is the value of ApproveDeprovisionAnnotation and RejectDeprovisionAnnotation: the token of the held set or, for a part of the set, the
// token, a colon and the names of the resources in question, as in "ts463qwe7a2bcd3f:ada,LambdaTestGroup/admins".
type Decision struct {
	Token string
	// Only names resources as the entries of the set begin: a LambdaTestUser by its name, a group as "LambdaTestGroup/<name>". Empty means the
	// whole set.
	Only []string
}

// DecisionOf reads the value of an annotation.
func DecisionOf(value string) Decision {
	token, names, isPart := strings.Cut(value, ":")
	if !isPart {
		return Decision{Token: token}
	}
	return Decision{Token: token, Only: strings.Split(names, ",")}
}

// String returns the value for the annotation.
func (d Decision) String() string {
	if len(d.Only) == 0 {
		return d.Token
	}
	return d.Token + ":" + strings.Join(d.Only, ",")
}

// DecidedBy returns the value of DecidedByAnnotation: who decides about the set of that token.
func DecidedBy(token, user string) string { return token + " " + user }

// DecidedByIn returns the user that the value of DecidedByAnnotation names, if it is about the set of that token; else an empty string.
func DecidedByIn(value, token string) string {
	about, user, _ := strings.Cut(value, " ")
	if token == "" || about != token {
		return ""
	}
	return user
}
