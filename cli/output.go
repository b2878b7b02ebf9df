// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// output is the format of a command's output: a table (the default), json, yaml, csv or html.
type output string

// The formats that only some commands have.
const (
	outputCSV  output = "csv"
	outputHTML output = "html"
)

func (o *output) bind(command *cobra.Command, more ...output) {
	accepted := append([]output{"json", "yaml"}, more...)
	value := &outputValue{chosen: o, accepted: accepted}
	command.Flags().VarP(value, "output", "o", "output format, "+value.list()+"; default: a table")
	names := make([]cobra.Completion, 0, len(accepted))
	for _, each := range accepted {
		names = append(names, string(each))
	}
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
}

// outputValue is the flag of an output. It accepts the formats of one command: any other is an error before the command does anything.
type outputValue struct {
	chosen   *output
	accepted []output
}

// String, Set and Type implement pflag.Value.
func (v *outputValue) String() string {
	if v.chosen == nil {
		return ""
	}
	return string(*v.chosen)
}

// Set reads the format.
func (v *outputValue) Set(text string) error {
	form := output(strings.ToLower(text))
	if !slices.Contains(v.accepted, form) {
		return errors.New("must be " + v.list())
	}
	*v.chosen = form
	return nil
}

// Type is the name of the value in --help.
func (v *outputValue) Type() string { return "format" }

// list is "json, yaml or csv".
func (v *outputValue) list() string {
	names := make([]string, 0, len(v.accepted))
	for _, each := range v.accepted {
		names = append(names, string(each))
	}
	return alternatives(names)
}

// alternatives is "a, b or c".
func alternatives(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// print writes value as json or yaml, or calls table.
func (o output) print(out io.Writer, value any, table func(io.Writer) error) error {
	switch o {
	case "json":
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(value); err != nil {
			return err
		}
		_, err := io.WriteString(out, escapeText(text.String(), escapedInJSON))
		return err
	case "yaml":
		encoded, err := yamlOf(value)
		if err != nil {
			return err
		}
		_, err = out.Write(encoded)
		return err
	default:
		return table(out)
	}
}

// sheet is rows under a header.
type sheet struct {
	header []string
	rows   [][]string
}

// print prints the sheet as an aligned table.
func (s sheet) print(out io.Writer) error { return printTable(out, s.header, s.rows) }

// printCSV writes the sheet as RFC 4180 describes. A cell that a spreadsheet would take for a formula gets an apostrophe in front: the names in
// it may come from an identity provider.
func (s sheet) printCSV(out io.Writer) error {
	rows := csv.NewWriter(out)
	for _, row := range append([][]string{s.header}, s.rows...) {
		cells := make([]string, 0, len(row))
		for _, cell := range row {
			cell = printable(cell)
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				cell = "'" + cell
			}
			cells = append(cells, cell)
		}
		if err := rows.Write(cells); err != nil {
			return err
		}
	}
	rows.Flush()
	return rows.Error()
}

// instant is how this package shows a time; empty if there is none.
func instant(when *metav1.Time) string {
	if when.IsZero() {
		return ""
	}
	return when.UTC().Format(time.RFC3339)
}

// yamlOf is yaml.Marshal, but shows no character that is not graphic. Where yaml.Marshal would, or ends with an error because of one,
// everything is in double quotes, as in JSON, which is YAML as well.
func yamlOf(value any) ([]byte, error) {
	isHidden := func(char rune) bool { return char != '\n' && !unicode.IsGraphic(char) }
	if encoded, err := yaml.Marshal(value); err == nil && !strings.ContainsFunc(string(encoded), isHidden) {
		return encoded, nil
	}
	quoted, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return nil, err
	}
	return []byte(escapeText(string(quoted), escapedInYAML) + "\n"), nil
}

// printf is the only way in which this package prints text for people. Every argument may come from an identity provider, from Git or from
// LambdaTest: what is not graphic in it is escaped, line breaks and tabs too, so that it can neither move a terminal nor look like a line
// of its own.
func printf(out io.Writer, format string, args ...any) {
	shown := make([]any, 0, len(args))
	for _, arg := range args {
		switch arg.(type) {
		case int, int32, int64:
			shown = append(shown, arg)
		default:
			shown = append(shown, printable(fmt.Sprint(arg)))
		}
	}
	fmt.Fprintf(out, format, shown...)
}

// PrintError prints the error that a command ended with. Its lines after the first are indented.
func PrintError(out io.Writer, err error) {
	for i, line := range strings.Split(err.Error(), "\n") {
		if i == 0 {
			printf(out, "Error: %s\n", line)
			continue
		}
		printf(out, "  %s\n", line)
	}
}

// printable escapes what is not graphic, as Go does in a string.
func printable(text string) string { return escapeText(text, escapedInGo) }

// escapeText replaces characters that are not graphic, except the line breaks of a document.
func escapeText(text string, escaped func(rune) string) string {
	var shown strings.Builder
	for i, char := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case char == utf8.RuneError && size == 1:
			fmt.Fprintf(&shown, `\x%02x`, text[i])
		case unicode.IsGraphic(char):
			shown.WriteRune(char)
		default:
			shown.WriteString(escaped(char))
		}
	}
	return shown.String()
}

func escapedInGo(char rune) string { return strings.Trim(strconv.QuoteRuneToASCII(char), "'") }

func escapedInJSON(char rune) string {
	if char == '\n' {
		return "\n"
	}
	if high, low := utf16.EncodeRune(char); high != utf8.RuneError {
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, char)
}

func escapedInYAML(char rune) string {
	if char == '\n' {
		return "\n"
	}
	return fmt.Sprintf(`\U%08x`, char)
}

// printTable prints aligned rows under a header. It prints nothing if there are no rows.
func printTable(out io.Writer, header []string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			if i > 0 {
				printf(table, "\t")
			}
			printf(table, "%s", cell)
		}
		printf(table, "\n")
	}
	return table.Flush()
}

// firstOf joins the first names of a list: "a, b … and 7 more".
func firstOf(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s … and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// plural is "1 person" or "3 people".
func plural(count int, one, many string) string {
	if count == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", count, many)
}
