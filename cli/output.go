// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// output is the format of a command's output: a table (the default), json or yaml.
type output string

func (o *output) bind(command *cobra.Command) {
	command.Flags().VarP(o, "output", "o", "output format, json or yaml; default: a table")
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
}

// String, Set and Type implement pflag.Value: an unknown format is an error before the command does anything.
func (o *output) String() string { return string(*o) }

// Set reads the format.
func (o *output) Set(text string) error {
	form := output(strings.ToLower(text))
	if form != "json" && form != "yaml" {
		return errors.New("must be json or yaml")
	}
	*o = form
	return nil
}

// Type is the name of the value in --help.
func (o *output) Type() string { return "format" }

// print writes value as json or yaml, or calls table.
func (o output) print(out io.Writer, value any, table func(io.Writer) error) error {
	switch o {
	case "json":
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	case "yaml":
		encoded, err := yaml.Marshal(value)
		if err != nil {
			return err
		}
		_, err = out.Write(encoded)
		return err
	default:
		return table(out)
	}
}

// printTable prints aligned rows under a header. It prints nothing if there are no rows.
func printTable(out io.Writer, header []string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

// plural is "1 person" or "3 people".
func plural(count int, one, many string) string {
	if count == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", count, many)
}
