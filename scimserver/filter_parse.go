// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package scimserver

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// The grammar of RFC 7644, figures 1 and 7, as a recursive descent parser: one pass, bounded depth. It takes two forms more than
// the RFC has, because providers send them: a comparison after a value filter, emails[type eq "work"].value eq "x" (Entra ID), and
// any filter between the brackets, not just two terms. docs/decisions has why scim2/filter-parser, which is the measure of this one
// in the tests, is not used here.

// expression is a node of a parsed filter: *logical, *negation, *comparison or *elementFilter.
type expression interface{ isExpression() }

type logical struct {
	or          bool
	left, right expression
}

type negation struct{ inner expression }

// comparison is attrPath op value; value is nil for pr, and for null.
type comparison struct {
	path  attributePath
	op    string // lower case
	value any    // string, bool, json.Number or nil
}

// elementFilter is attrPath[filter], with or without a comparison of a sub-attribute of the elements that match.
type elementFilter struct {
	path  attributePath
	inner expression
	then  *comparison
}

func (*logical) isExpression()       {}
func (*negation) isExpression()      {}
func (*comparison) isExpression()    {}
func (*elementFilter) isExpression() {}

// attributePath is a name as it was written: [URI ":"] name ["." sub]. Of a URI alone, such as "urn:…:2.0:User", the name is what
// stands after the last colon.
type attributePath struct{ uri, name, sub string }

func (p attributePath) String() string {
	s := p.name
	if p.uri != "" {
		s = p.uri + ":" + p.name
	}
	if p.sub != "" {
		s += "." + p.sub
	}
	return s
}

// patchPath is the parsed path of a PATCH operation: attrPath, or attrPath[filter], or attrPath[filter].sub.
type patchPath struct {
	attribute attributePath
	filter    expression
	sub       string
}

// parseFilter parses a filter. Its error says what is wrong and where, for the client to read.
func parseFilter(text string) (expression, error) {
	p := &filterParser{text: text}
	result, err := p.whole(func() (expression, error) { return p.disjunction() })
	if err != nil {
		return nil, problem.BadFilter("the filter cannot be understood: %v", err)
	}
	return result, nil
}

// parsePath parses the path of a PATCH operation.
func parsePath(text string) (patchPath, error) {
	p := &filterParser{text: text}
	var path patchPath
	_, err := p.whole(func() (expression, error) {
		var err error
		path, err = p.patchPath()
		return nil, err
	})
	if err != nil {
		return patchPath{}, problem.BadPath("the path %q cannot be understood: %v", problem.Shorten(text), err)
	}
	return path, nil
}

type filterParser struct {
	text  string
	at    int
	depth int
	terms int
}

func (p *filterParser) whole(parse func() (expression, error)) (expression, error) {
	if len(p.text) > maxFilterBytes {
		return nil, fmt.Errorf("it is longer than %d bytes", maxFilterBytes)
	}
	p.spaces()
	result, err := parse()
	if err != nil {
		return nil, err
	}
	p.spaces()
	if p.at != len(p.text) {
		return nil, p.unexpected("the end")
	}
	return result, nil
}

func (p *filterParser) unexpected(wanted string) error {
	if p.at >= len(p.text) {
		return fmt.Errorf("%s is missing at the end", wanted)
	}
	return fmt.Errorf("%s expected at character %d", wanted, p.at+1)
}

// disjunction = conjunction *( "or" conjunction ): "and" binds tighter (RFC 7644, section 3.4.2.2).
func (p *filterParser) disjunction() (expression, error) {
	if p.depth++; p.depth > maxFilterNesting {
		return nil, fmt.Errorf("it is nested deeper than %d brackets", maxFilterNesting)
	}
	defer func() { p.depth-- }()
	return p.chain("or", true, func() (expression, error) {
		return p.chain("and", false, p.term)
	})
}

func (p *filterParser) chain(word string, or bool, next func() (expression, error)) (expression, error) {
	left, err := next()
	for err == nil && p.keyword(word) {
		var right expression
		if right, err = next(); err == nil {
			left = &logical{or: or, left: left, right: right}
		}
	}
	return left, err
}

// keyword consumes a word that stands between spaces or brackets.
func (p *filterParser) keyword(word string) bool {
	start := p.at
	p.spaces()
	end := p.at + len(word)
	if end <= len(p.text) && strings.EqualFold(p.text[p.at:end], word) && (end == len(p.text) || p.text[end] == ' ' || p.text[end] == '(') {
		p.at = end
		p.spaces()
		return true
	}
	p.at = start
	return false
}

func (p *filterParser) term() (expression, error) {
	if p.terms++; p.terms > maxFilterTerms {
		return nil, fmt.Errorf("it has more than %d terms", maxFilterTerms)
	}
	if p.peek('(') {
		return p.bracketed('(', ')')
	}
	if start := p.at; p.keyword("not") {
		if p.peek('(') {
			inner, err := p.bracketed('(', ')')
			return &negation{inner: inner}, err
		}
		p.at = start // an attribute may be called "not"
	}
	path, err := p.attributePath()
	if err != nil {
		return nil, err
	}
	if p.peek('[') {
		return p.elementFilter(path)
	}
	return p.comparison(path)
}

func (p *filterParser) bracketed(open, closing byte) (expression, error) {
	p.at++ // the caller saw the opening bracket
	p.spaces()
	inner, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	p.spaces()
	if !p.peek(closing) {
		return nil, p.unexpected(fmt.Sprintf("%q after %q", closing, open))
	}
	p.at++
	return inner, nil
}

func (p *filterParser) elementFilter(path attributePath) (expression, error) {
	inner, err := p.bracketed('[', ']')
	if err != nil {
		return nil, err
	}
	result := &elementFilter{path: path, inner: inner}
	if !p.peek('.') {
		return result, nil
	}
	p.at++
	sub, err := p.name()
	if err != nil {
		return nil, err
	}
	then, err := p.comparison(attributePath{name: sub})
	result.then, _ = then.(*comparison)
	return result, err
}

func (p *filterParser) comparison(path attributePath) (expression, error) {
	if !p.peek(' ') {
		return nil, p.unexpected("a space and an operator")
	}
	p.spaces()
	op := strings.ToLower(p.word())
	switch op {
	case "pr":
		return &comparison{path: path, op: op}, nil
	case "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le":
	default:
		return nil, p.unexpected("one of the operators eq, ne, co, sw, ew, gt, ge, lt, le, pr")
	}
	if !p.peek(' ') {
		return nil, p.unexpected("a space and a value")
	}
	p.spaces()
	value, err := p.value()
	return &comparison{path: path, op: op, value: value}, err
}

// value is a JSON string, number, true, false or null. The words are matched without regard to case (RFC 5234, section 2.3).
func (p *filterParser) value() (any, error) {
	literal := p.literal()
	text := literal
	if !strings.HasPrefix(text, `"`) {
		text = strings.ToLower(text)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if text == "" || decoder.Decode(&value) != nil || decoder.InputOffset() != int64(len(text)) {
		return nil, p.unexpected("a value in double quotes, a number, true, false or null")
	}
	p.at += len(literal)
	return value, nil
}

// literal returns the text of the value that begins here, without consuming it.
func (p *filterParser) literal() string {
	rest := p.text[p.at:]
	if !strings.HasPrefix(rest, `"`) {
		if end := strings.IndexAny(rest, " ()[]"); end >= 0 {
			return rest[:end]
		}
		return rest
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return rest[:i+1]
		}
	}
	return ""
}

func (p *filterParser) patchPath() (patchPath, error) {
	attribute, err := p.attributePath()
	if err != nil || !p.peek('[') {
		return patchPath{attribute: attribute}, err
	}
	path := patchPath{attribute: attribute}
	if path.filter, err = p.bracketed('[', ']'); err != nil {
		return path, err
	}
	if p.peek('.') {
		p.at++
		path.sub, err = p.name()
	}
	return path, err
}

// attributePath = [URI ":"] ATTRNAME *1subAttr (RFC 7644, figure 1). A URI has dots itself, so what follows its last colon is the name.
func (p *filterParser) attributePath() (attributePath, error) {
	var path attributePath
	if uri := p.uri(); uri != "" {
		colon := strings.LastIndexByte(uri, ':')
		path.uri = uri[:colon]
		p.at += colon + 1
	}
	var err error
	if path.name, err = p.name(); err != nil {
		return path, err
	}
	if p.peek('.') {
		p.at++
		path.sub, err = p.name()
	}
	return path, err
}

// uri returns the text up to the next space or bracket when it is a URN, without consuming it.
func (p *filterParser) uri() string {
	rest := p.text[p.at:]
	if len(rest) < 4 || !strings.EqualFold(rest[:4], "urn:") {
		return ""
	}
	end := strings.IndexAny(rest, " []()\"")
	if end < 0 {
		end = len(rest)
	}
	return rest[:end]
}

// name is ATTRNAME, or "$ref" (RFC 7643, section 2.1).
func (p *filterParser) name() (string, error) {
	start := p.at
	if p.peek('$') {
		p.at++
	}
	if p.at >= len(p.text) || !isLetter(p.text[p.at]) {
		return "", p.unexpected("the name of an attribute")
	}
	for p.at < len(p.text) && isNameByte(p.text[p.at]) {
		p.at++
	}
	return p.text[start:p.at], nil
}

func (p *filterParser) word() string {
	start := p.at
	for p.at < len(p.text) && isLetter(p.text[p.at]) {
		p.at++
	}
	return p.text[start:p.at]
}

func (p *filterParser) spaces() {
	for p.peek(' ') {
		p.at++
	}
}

func (p *filterParser) peek(c byte) bool { return p.at < len(p.text) && p.text[p.at] == c }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isNameByte(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || c == '-' || c == '_'
}
