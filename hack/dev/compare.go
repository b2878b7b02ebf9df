// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/lambdatest/simulator"
	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

// showBothEnds prints the output of kubectl, and each account next to the desired state of its person.
func showBothEnds(ctx context.Context, env *environment.Environment) error {
	table, err := env.Kubectl(ctx, "get", "lambdatestusers", "-o", "wide")
	if err != nil {
		return err
	}
	fmt.Printf("\n$ kubectl get lambdatestusers -o wide\n%s\n", table)
	users, err := usersByName(ctx, env)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(out, "AT LAMBDATEST\tID\tROLE\tACTIVE\tRESOURCES SAY")
	for _, account := range env.Organizations["default"].LambdaTest.Accounts() {
		fmt.Fprintf(out, "%s\t%s\t%s\t%v\t%s\n", account.UserName, account.ID, account.Role, account.Active, say(users[account.UserName]))
	}
	return out.Flush()
}

// say describes the desired state of a person in a few words.
func say(claims []v1alpha1.LambdaTestUser) string {
	if len(claims) == 0 {
		return "nothing: no resource claims this person"
	}
	effective := claims[0].Status.Effective
	if effective == nil {
		return "not decided yet"
	}
	if !effective.Active {
		return "denied by " + effective.ActiveFrom
	}
	if effective.Role == "" {
		return "active, any role"
	}
	return fmt.Sprintf("active, %s by %s", effective.Role, effective.RoleFrom)
}

func usersByName(ctx context.Context, env *environment.Environment) (map[string][]v1alpha1.LambdaTestUser, error) {
	list := &v1alpha1.LambdaTestUserList{}
	if err := env.Client.List(ctx, list, client.InNamespace(environment.Namespace)); err != nil {
		return nil, err
	}
	byName := map[string][]v1alpha1.LambdaTestUser{}
	for _, user := range list.Items {
		name := v1alpha1.FoldUserName(user.Spec.UserName)
		byName[name] = append(byName[name], user)
	}
	return byName, nil
}

// compare returns every difference between the resources and LambdaTest's accounts.
func compare(ctx context.Context, env *environment.Environment) ([]error, error) {
	users, err := usersByName(ctx, env)
	if err != nil {
		return nil, err
	}
	lambdaTest := env.Organizations["default"].LambdaTest
	var differences []error
	for userName, claims := range users {
		account, found := lambdaTest.Account(userName)
		if !found {
			differences = append(differences, fmt.Errorf("%s has no account", userName))
			continue
		}
		for i := range claims {
			differences = append(differences, differ(&claims[i], account)...)
		}
	}
	if accounts, posted := len(lambdaTest.Accounts()), lambdaTest.Count("POST /Users"); accounts != posted {
		differences = append(differences, fmt.Errorf("%d accounts were created by %d calls of POST /Users", accounts, posted))
	}
	return slices.DeleteFunc(differences, func(err error) bool { return err == nil }), nil
}

// differ compares one resource with the account of its person.
func differ(user *v1alpha1.LambdaTestUser, account simulator.Account) []error {
	var differences []error
	complain := func(what string, resource, actual any) {
		if resource != actual {
			differences = append(differences, fmt.Errorf("%s: %s is %v, and %v at LambdaTest", user.Name, what, resource, actual))
		}
	}
	if !meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ReadyCondition) {
		differences = append(differences, fmt.Errorf("%s is not ready", user.Name))
	}
	if user.Status.Account == nil || user.Status.Effective == nil {
		return append(differences, fmt.Errorf("%s has no account in its status", user.Name))
	}
	complain("status.accountID", user.Status.AccountID, account.ID)
	complain("status.account.active", user.Status.Account.Active, account.Active)
	complain("status.account.role", user.Status.Account.Role, account.Role)
	complain("status.effective.active", user.Status.Effective.Active, account.Active)
	if role := user.Status.Effective.Role; role != "" {
		complain("status.effective.role", string(role), account.Role)
	}
	return differences
}
