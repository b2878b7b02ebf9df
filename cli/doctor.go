// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// errUnknownBehaviour is the error of a doctor that saw what none of the known settings describes. The command has printed it already.
var errUnknownBehaviour = errors.New("LambdaTest does what the operator was not tested with: report it with the output of -o json")

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	where    cluster
	which    choice
	upstream upstream
	form     output
	with     string
	group    string
}

// verdict is what the doctor says of one reading. It contains no address, no id and no token.
type verdict struct {
	Reading string `json:"reading"`
	Asks    string `json:"asks"`
	Saw     string `json:"saw,omitempty"`
	// NoneOfTheKnown says that LambdaTest does something that no known setting describes.
	NoneOfTheKnown bool     `json:"noneOfTheKnown,omitempty"`
	Possible       []string `json:"possible,omitempty"`
	Evidence       string   `json:"evidence,omitempty"`
	Means          string   `json:"means,omitempty"`
	ToTell         string   `json:"toTell,omitempty"`
}

func doctorCommand() *cobra.Command {
	options := &doctorOptions{which: choice{fallback: defaultOrganization}}
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what LambdaTest does where its documents leave it open, and what that means for an organization",
		Long: `Find out what LambdaTest does where its documents leave it open, and what that means for an organization.

The command asks LambdaTest with the organization's token, so it needs the right to read that Secret. It only reads. With --with it also
writes to one throwaway account that you name: it creates the account, changes its role and whether it is active, and leaves it deactivated.
It shows this and asks before. LambdaTest keeps deactivated accounts, so use the same address each time.

The output of -o json contains no address, no id and no token.`,
		Example: `  # Before an identity provider is connected
  kubectl lambdatest doctor
  # Also find out what only writing shows
  kubectl lambdatest doctor --with throwaway@example.com
  # For a bug report
  kubectl lambdatest doctor -o json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return options.run(cmd.Context(), bufio.NewReader(cmd.InOrStdin()), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	options.where.bind(command)
	options.which.bind(command, &options.where)
	options.upstream.bind(command)
	options.form.bind(command)
	flags := command.Flags()
	flags.Lookup("yes").Usage = "do not ask: neither before the token is sent to one of --upstream-hosts, nor before --with writes"
	flags.StringVar(&options.with, "with", "", "`address` of a throwaway account to write to; it must belong to no person")
	flags.StringVar(&options.group, "concurrency-group", "", "with --with: `name` of a concurrency group that exists, to give to the throwaway account")
	return command
}

func (o *doctorOptions) run(ctx context.Context, in io.Reader, out, questions io.Writer) error {
	if o.group != "" && o.with == "" {
		return errors.New("--concurrency-group needs --with: it is given to the throwaway account")
	}
	reader, err := o.where.connect()
	if err != nil {
		return err
	}
	organization, err := o.which.find(ctx, reader, o.where.namespace)
	if err != nil {
		return err
	}
	users := &v1alpha1.LambdaTestUserList{}
	err = reader.List(ctx, users, client.InNamespace(o.where.namespace), client.MatchingFields{"spec.organizationRef.name": organization.Name})
	if err != nil {
		return fmt.Errorf("listing resources: %w", err)
	}
	seen := &examination{claims: pointers(users.Items), findings: map[string]finding{}, users: map[string]wireAccount{}}
	if err := o.mayWrite(in, questions, organization, seen.claims); err != nil {
		return err
	}
	if seen.upstream, err = o.upstream.connect(ctx, in, questions, reader, organization); err != nil {
		return err
	}
	err = seen.read(ctx)
	if err == nil && o.with != "" {
		err = seen.write(ctx, o.with, o.group)
	}
	// What was seen before an error is worth printing.
	verdicts := seen.verdicts()
	printed := o.form.print(out, verdicts, func(out io.Writer) error { return doctorTable(out, verdicts) })
	if err == nil && len(seen.oddities()) > 0 {
		err = errUnknownBehaviour
	}
	return errors.Join(err, printed)
}

// mayWrite refuses the address of a person whom a resource claims, because the operator would change the account meanwhile; it shows what is
// written, and asks.
func (o *doctorOptions) mayWrite(in io.Reader, questions io.Writer, organization *v1alpha1.LambdaTestOrganization, claims []*v1alpha1.LambdaTestUser) error {
	if o.with == "" {
		return nil
	}
	for _, claim := range claims {
		if v1alpha1.FoldUserName(claim.Spec.UserName) == v1alpha1.FoldUserName(o.with) {
			return fmt.Errorf("nothing was written: LambdaTestUser %s is about the address of --with; name an address of no person", claim.Name)
		}
	}
	if o.upstream.yes {
		return nil
	}
	printf(questions, "The doctor writes to one account of organization %s at LambdaTest, %s:\n", organization.Name, o.with)
	for _, step := range []string{
		"it creates the account, active, with the role Guest, if there is none",
		"it changes the role between Guest and User, deactivates the account, and activates it again",
		"it sends changes that LambdaTest may refuse: a concurrency group that does not exist, a PATCH without a path",
		"it leaves the account deactivated; LambdaTest cannot delete it",
	} {
		printf(questions, "  - %s\n", step)
	}
	if !confirmed(in, questions, "LambdaTest may send an invitation to the address. Go on?") {
		return errNothingDone
	}
	return nil
}

func (e *examination) oddities() []string {
	var odd []string
	for _, each := range readings {
		if e.findings[each.name].odd {
			odd = append(odd, each.name)
		}
	}
	return odd
}

// verdicts has every reading, in the order of the documentation.
func (e *examination) verdicts() []verdict {
	all := make([]verdict, 0, len(readings))
	for _, each := range readings {
		found := e.findings[each.name]
		line := verdict{Reading: each.name, Asks: each.asks, Saw: found.saw, NoneOfTheKnown: found.odd, Evidence: found.evidence}
		switch {
		case found.saw != "":
			line.Means = each.means(found.saw)
		case !found.odd:
			line.Possible, line.ToTell = found.possible, each.toTell
			if len(line.Possible) == 0 {
				line.Possible = each.names()
			}
		}
		all = append(all, line)
	}
	return all
}

// doctorTable prints what is none of the known settings first.
func doctorTable(out io.Writer, verdicts []verdict) error {
	var seen, open [][]string
	for _, each := range verdicts {
		switch {
		case each.NoneOfTheKnown:
			printf(out, "ATTENTION: %s: LambdaTest does none of what is known (%s): %s.\n", each.Reading, each.Asks, each.Evidence)
		case each.Saw != "":
			seen = append(seen, []string{each.Reading, each.Saw, each.Means})
		default:
			open = append(open, []string{each.Reading, strings.Join(each.Possible, ", "), each.ToTell})
		}
	}
	if err := printTable(out, []string{"READING", "SEEN", "MEANS"}, seen); err != nil {
		return err
	}
	printf(out, "\n")
	if err := printTable(out, []string{"NOT TOLD", "ONE OF", "TO FIND OUT"}, open); err != nil {
		return err
	}
	printf(out, "\n%s seen, %d not told. docs/simulator.md describes each.\n", plural(len(seen), "reading", "readings"), len(open))
	return nil
}
