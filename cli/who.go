// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// whoOptions are the flags of who.
type whoOptions struct {
	where     cluster
	which     choice
	form      output
	unclaimed unclaimedSource
	only      whoFilter
}

// whoFilter are the people whom who shows: those for whom all that is set is true.
type whoFilter struct{ admins, denied, unclaimed, refused bool }

// listing is the output of who.
type listing struct {
	AsOf metav1.Time `json:"asOf"`
	// Unclaimed says, of each organization, whether its accounts that no resource claims are listed, and where they come from.
	Unclaimed []unclaimedNote `json:"unclaimed"`
	People    []personRow     `json:"people"`
}

func whoCommand() *cobra.Command {
	options := &whoOptions{which: choice{all: true}}
	command := &cobra.Command{
		Use:   "who [PERSON]",
		Short: "Show people: their account, role, whether they can sign in, who decided that, and since when",
		Long: `Show people, one row each: their account at LambdaTest, its role, whether they can sign in, which resource decides that, and since when.

PERSON is an address, or the name of a LambdaTestUser about the person. Account, role and active are what LambdaTest last showed to the
operator. BY is the resource that denies the person or decides the role. SINCE is when the person was denied; for others, when the resource
was created that decides. With several of --admins, --denied, --unclaimed and --refused, the command shows the people for whom all are true.

The command reads resources. They name the accounts that no resource claims only with importUsers: Observe. Otherwise --from-lambdatest
reads the list of accounts at LambdaTest. The output says which of the two was used, and what is missing.`,
		Example: `  # Who is Admin, and who decided that?
  kubectl lambdatest who --admins
  # Who can sign in although no resource says so?
  kubectl lambdatest who --unclaimed --from-lambdatest
  # Everything about one person, for a script
  kubectl lambdatest who ada@example.com -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return options.run(cmd, args) },
	}
	options.where.bind(command)
	options.which.bind(command, &options.where)
	options.form.bind(command, outputCSV)
	options.unclaimed.bind(command)
	command.ValidArgsFunction = personNames(&options.where, &options.which)
	flags := command.Flags()
	flags.BoolVar(&options.only.admins, "admins", false, "only people whose account is Admin")
	flags.BoolVar(&options.only.denied, "denied", false, "only people whom a resource denies")
	flags.BoolVar(&options.only.unclaimed, "unclaimed", false, "only accounts that no resource claims")
	flags.BoolVar(&options.only.refused, "refused", false, "only people for whom LambdaTest refuses something; the identity provider takes them for provisioned")
	return command
}

func (o *whoOptions) run(command *cobra.Command, args []string) error {
	reader, err := o.where.connect()
	if err != nil {
		return err
	}
	found, err := o.find(command.Context(), command, reader, args)
	if err != nil {
		return err
	}
	if o.form == outputCSV {
		found.note(command.ErrOrStderr())
		return whoSheet(found.People).printCSV(command.OutOrStdout())
	}
	return o.form.print(command.OutOrStdout(), found, found.table)
}

func (o *whoOptions) find(ctx context.Context, command *cobra.Command, reader client.Reader, args []string) (*listing, error) {
	read, err := readRoster(ctx, reader, o.where.namespace, o.which.name)
	if err != nil {
		return nil, err
	}
	rows, notes, err := o.unclaimed.add(ctx, command, reader, read, read.people())
	if err != nil {
		return nil, err
	}
	if o.only.unclaimed {
		for _, each := range notes {
			if !each.Listed {
				return nil, errors.New(each.Note)
			}
		}
	}
	if len(args) > 0 {
		if rows, err = findPeople(rows, args[0], o.where.namespace); err != nil {
			return nil, err
		}
	}
	return &listing{AsOf: read.asOf, Unclaimed: notes, People: o.only.of(rows)}, nil
}

// of returns the rows for which all that is set is true.
func (f whoFilter) of(rows []personRow) []personRow {
	return slices.DeleteFunc(slices.Clone(rows), func(row personRow) bool {
		return f.admins && !row.isAdmin() || f.denied && !row.Denied || f.unclaimed && !row.Unclaimed || f.refused && !row.Refused
	})
}

func (l *listing) table(out io.Writer) error {
	if len(l.People) == 0 {
		printf(out, "No person.\n")
	}
	if err := whoSheet(l.People).print(out); err != nil {
		return err
	}
	l.note(out)
	return nil
}

// note says how many people are listed, as of when, and where the unclaimed accounts come from.
func (l *listing) note(out io.Writer) {
	printf(out, "\n%s, as of %s.\n", plural(len(l.People), "person", "people"), instant(&l.AsOf))
	for _, each := range l.Unclaimed {
		printf(out, "%s\n", each.Note)
	}
}

func whoSheet(rows []personRow) sheet {
	made := sheet{header: []string{"ORGANIZATION", "USERNAME", "ACCOUNT", "ROLE", "ACTIVE", "BY", "SINCE", "CLAIMS"}}
	for i := range rows {
		row := &rows[i]
		made.rows = append(made.rows, []string{
			row.Organization, row.UserName, row.AccountID, row.shownRole(), row.shownActive(), row.shownBy(), instant(row.Since), row.shownClaims(),
		})
	}
	return made
}

// shownRole is the role at LambdaTest, and the one that resources decide if it differs.
func (p *personRow) shownRole() string {
	if p.WantedRole != "" && p.Role != "" && p.WantedRole != p.Role && !p.Denied {
		return fmt.Sprintf("%s (wanted: %s)", p.Role, p.WantedRole)
	}
	return p.Role
}
