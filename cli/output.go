// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

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

// plural is "1 person" or "3 people".
func plural(count int, one, many string) string {
	if count == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", count, many)
}
