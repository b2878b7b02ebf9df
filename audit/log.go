// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"reflect"
	"strings"
	"time"

	"github.com/go-logr/logr"
)

// Log writes lines. The zero value writes none.
type Log struct {
	logger    logr.Logger
	addresses bool
}

// New returns a log whose lines go to that logger. With addresses they hold the userNames of people, too.
func New(logger logr.Logger, addresses bool) Log {
	return Log{logger: logger.WithName(LoggerName), addresses: addresses}
}

// Write writes a line. userName is that of the person whom the line is about; empty is none.
func (l Log) Write(line Line, userName string) {
	if userName != "" {
		line.Person = PersonOf(line.Organization, userName)
		line.Address = userName
	}
	if !l.addresses {
		line.Address = ""
	}
	l.logger.Info("Audit", fieldsOf(line)...)
}

// fieldsOf are the fields of a line that say something, under the names that Line gives them, in its order.
func fieldsOf(line Line) []any {
	var fields []any
	value := reflect.ValueOf(line)
	for i, field := range reflect.VisibleFields(value.Type()) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if of := value.Field(i); options == "" || !of.IsZero() {
			fields = append(fields, name, of.Interface())
		}
	}
	return fields
}

// At is a time as a line has it: in UTC, to the millisecond; nil for the zero time.
func At(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Truncate(time.Millisecond))
}
