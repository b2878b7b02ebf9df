// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
	"github.com/lambdatest-operator/lambdatest-operator/audit"
)

// auditLine is a line of the audit trail as it was logged.
type auditLine struct {
	Time   time.Time `json:"time"`
	Logger string    `json:"logger"`
	audit.Line
}

// auditTrail are the audit lines of a file, in the order of the file.
type auditTrail struct {
	lines []auditLine
	// first and last are the times of the earliest and the latest line, of any organization.
	first, last time.Time
	// unread is how many audit lines could not be read, for example because they were cut.
	unread int
}

// auditFile is the flag that names a file with shipped audit lines.
type auditFile string

func (f *auditFile) bind(command *cobra.Command) {
	command.Flags().StringVar((*string)(f), "audit", "", "`file` with the operator's log lines of all replicas, or only those of the logger audit, as JSON; - is standard input")
	_ = command.MarkFlagFilename("audit")
}

// read returns nil if no file is named.
func (f auditFile) read(in io.Reader) (*auditTrail, error) {
	if f == "" {
		return nil, nil //nolint:nilnil // no file is no trail
	}
	if f != "-" {
		file, err := os.Open(string(f))
		if err != nil {
			return nil, fmt.Errorf("reading audit lines: %w", err)
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	trail, err := readAudit(in)
	if err != nil {
		return nil, fmt.Errorf("reading audit lines of %s: %w", f, err)
	}
	return trail, nil
}

// maxAuditLine is far more than the longest line takes, which names all people of a held set.
const maxAuditLine = 16 << 20

// readAudit reads the audit lines of a log, and skips all others. A line may have a prefix, as kubectl logs --prefix writes.
func readAudit(in io.Reader) (*auditTrail, error) {
	trail := &auditTrail{}
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, maxAuditLine)
	for scanner.Scan() {
		begin := bytes.IndexByte(scanner.Bytes(), '{')
		if begin < 0 || !bytes.Contains(scanner.Bytes(), []byte(`"`+audit.LoggerName+`"`)) {
			continue
		}
		var line auditLine
		if err := json.Unmarshal(scanner.Bytes()[begin:], &line); err != nil {
			trail.unread++
			continue
		}
		if line.Logger == audit.LoggerName && line.Event != "" && !line.Time.IsZero() {
			trail.add(line)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	if len(trail.lines) == 0 {
		return nil, errors.New(`there is no audit line: a JSON object with "logger":"audit" on each line, as the operator writes with --log-format json`)
	}
	return trail, nil
}

func (t *auditTrail) add(line auditLine) {
	t.lines = append(t.lines, line)
	if t.first.IsZero() || line.Time.Before(t.first) {
		t.first = line.Time
	}
	if line.Time.After(t.last) {
		t.last = line.Time
	}
}

// historyOf are sentences about a person, oldest first; none without a trail.
func (t *auditTrail) historyOf(namespace, organization, userName string) []string {
	if t == nil {
		return nil
	}
	digest := audit.PersonOf(organization, userName)
	var lines []auditLine
	for _, line := range t.lines {
		if line.Namespace == namespace && line.Organization == organization && line.Person == digest {
			lines = append(lines, line)
		}
	}
	slices.SortStableFunc(lines, func(a, b auditLine) int { return a.Time.Compare(b.Time) })
	sentences := make([]string, 0, len(lines))
	for _, line := range lines {
		sentences = append(sentences, line.sentence())
	}
	return sentences
}

// sentence says what a line says about a person.
func (l *auditLine) sentence() string {
	text := l.Time.UTC().Format(time.RFC3339) + ": "
	switch l.Event {
	case audit.Called:
		text += fmt.Sprintf("%s at LambdaTest: %s", l.Call, l.Outcome)
	case audit.Denied:
		text += l.Resource + " denies the person"
	case audit.DenialDone:
		text += "the person has no active account any more"
	case audit.DenialEnded:
		text += l.Resource + " does not deny the person any more"
	default:
		text += string(l.Event)
	}
	for _, change := range l.Changes {
		text += fmt.Sprintf("; %s", changesText([]v1alpha1.PlannedChange{v1alpha1.PlannedChange(change)}))
	}
	if len(l.Because) > 0 {
		text += "; because of " + strings.Join(l.Because, ", ")
	}
	if l.Decided != nil {
		text += "; decided at " + l.Decided.UTC().Format(time.RFC3339)
	}
	if l.Reason != "" {
		text += fmt.Sprintf(" (%s)", l.Reason)
	}
	return text + "."
}
