// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lambdatest-operator/lambdatest-operator/scimserver/internal/problem"
)

// Expression is a node of a parsed filter: *Logical, *Not, *Comparison or *Elements.
type Expression interface{ isExpression() }

// Logical is left and right, or left or right.
type Logical struct {
	Or          bool
	Left, Right Expression
}

// Not is not (inner).
type Not struct{ Inner Expression }

// Comparison is attrPath op value; value is nil for pr, and for null.
type Comparison struct {
	Path  AttributePath
	Op    string // lower case
	Value any    // string, bool, json.Number or nil
}

// Elements is attrPath[filter], with or without a comparison of a sub-attribute of the elements that match.
type Elements struct {
	Path  AttributePath
	Inner Expression
	Then  *Comparison
}

func (*Logical) isExpression()    {}
func (*Not) isExpression()        {}
func (*Comparison) isExpression() {}
func (*Elements) isExpression()   {}

// AttributePath is a name as it was written: [URI ":"] name ["." sub]. Of a URI alone, such as "urn:…:2.0:User", the name is what
// stands after the last colon.
type AttributePath struct{ URI, Name, Sub string }

func (p AttributePath) String() string {
	s := p.Name
	if p.URI != "" {
		s = p.URI + ":" + p.Name
	}
	if p.Sub != "" {
		s += "." + p.Sub
	}
	return s
}

// PatchPath is the parsed path of a PATCH operation: attrPath, or attrPath[filter], or attrPath[filter].sub.
type PatchPath struct {
	Attribute AttributePath
	Filter    Expression
	Sub       string
}

// Parse parses a filter. Its error says what is wrong and where, for the client to read.
func Parse(text string) (Expression, error) {
	p := &parser{text: text}
	result, err := p.whole(func() (Expression, error) { return p.disjunction() })
	if err != nil {
		return nil, problem.BadFilter("the filter cannot be understood: %v", err)
	}
	return result, nil
}

// ParsePath parses the path of a PATCH operation.
func ParsePath(text string) (PatchPath, error) {
	p := &parser{text: text}
	var path PatchPath
	_, err := p.whole(func() (Expression, error) {
		var err error
		path, err = p.patchPath()
		return nil, err
	})
	if err != nil {
		return PatchPath{}, problem.BadPath("the path %q cannot be understood: %v", problem.Shorten(text), err)
	}
	return path, nil
}

type parser struct {
	text  string
	at    int
	depth int
	terms int
}

func (p *parser) whole(parse func() (Expression, error)) (Expression, error) {
	if len(p.text) > maxBytes {
		return nil, fmt.Errorf("it is longer than %d bytes", maxBytes)
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

func (p *parser) unexpected(wanted string) error {
	if p.at >= len(p.text) {
		return fmt.Errorf("%s is missing at the end", wanted)
	}
	return fmt.Errorf("%s expected at character %d", wanted, p.at+1)
}

// disjunction = conjunction *( "or" conjunction ): "and" binds tighter (RFC 7644, section 3.4.2.2).
func (p *parser) disjunction() (Expression, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("it is nested deeper than %d brackets", maxNesting)
	}
	defer func() { p.depth-- }()
	return p.chain("or", true, func() (Expression, error) {
		return p.chain("and", false, p.term)
	})
}

func (p *parser) chain(word string, or bool, next func() (Expression, error)) (Expression, error) {
	left, err := next()
	for err == nil && p.keyword(word) {
		var right Expression
		if right, err = next(); err == nil {
			left = &Logical{Or: or, Left: left, Right: right}
		}
	}
	return left, err
}

// keyword consumes a word that stands between spaces or brackets.
func (p *parser) keyword(word string) bool {
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

func (p *parser) term() (Expression, error) {
	if p.terms++; p.terms > maxTerms {
		return nil, fmt.Errorf("it has more than %d terms", maxTerms)
	}
	if p.peek('(') {
		return p.bracketed('(', ')')
	}
	if start := p.at; p.keyword("not") {
		if p.peek('(') {
			inner, err := p.bracketed('(', ')')
			return &Not{Inner: inner}, err
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

func (p *parser) bracketed(open, closing byte) (Expression, error) {
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

func (p *parser) elementFilter(path AttributePath) (Expression, error) {
	inner, err := p.bracketed('[', ']')
	if err != nil {
		return nil, err
	}
	result := &Elements{Path: path, Inner: inner}
	if !p.peek('.') {
		return result, nil
	}
	p.at++
	sub, err := p.name()
	if err != nil {
		return nil, err
	}
	then, err := p.comparison(AttributePath{Name: sub})
	result.Then, _ = then.(*Comparison)
	return result, err
}

func (p *parser) comparison(path AttributePath) (Expression, error) {
	if !p.peek(' ') {
		return nil, p.unexpected("a space and an operator")
	}
	p.spaces()
	op := strings.ToLower(p.word())
	switch op {
	case "pr":
		return &Comparison{Path: path, Op: op}, nil
	case "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le":
	default:
		return nil, p.unexpected("one of the operators eq, ne, co, sw, ew, gt, ge, lt, le, pr")
	}
	if !p.peek(' ') {
		return nil, p.unexpected("a space and a value")
	}
	p.spaces()
	value, err := p.value()
	return &Comparison{Path: path, Op: op, Value: value}, err
}

// value is a JSON string, number, true, false or null. The words are matched without regard to case (RFC 5234, section 2.3).
func (p *parser) value() (any, error) {
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
func (p *parser) literal() string {
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

func (p *parser) patchPath() (PatchPath, error) {
	attribute, err := p.attributePath()
	if err != nil || !p.peek('[') {
		return PatchPath{Attribute: attribute}, err
	}
	path := PatchPath{Attribute: attribute}
	if path.Filter, err = p.bracketed('[', ']'); err != nil {
		return path, err
	}
	if p.peek('.') {
		p.at++
		path.Sub, err = p.name()
	}
	return path, err
}

// AttributePath = [URI ":"] ATTRNAME *1subAttr (RFC 7644, figure 1). A URI has dots itself, so what follows its last colon is the name.
func (p *parser) attributePath() (AttributePath, error) {
	var path AttributePath
	if uri := p.uri(); uri != "" {
		colon := strings.LastIndexByte(uri, ':')
		path.URI = uri[:colon]
		p.at += colon + 1
	}
	var err error
	if path.Name, err = p.name(); err != nil {
		return path, err
	}
	if p.peek('.') {
		p.at++
		path.Sub, err = p.name()
	}
	return path, err
}

// uri returns the text up to the next space or bracket when it is a URN, without consuming it.
func (p *parser) uri() string {
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
func (p *parser) name() (string, error) {
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

func (p *parser) word() string {
	start := p.at
	for p.at < len(p.text) && isLetter(p.text[p.at]) {
		p.at++
	}
	return p.text[start:p.at]
}

func (p *parser) spaces() {
	for p.peek(' ') {
		p.at++
	}
}

func (p *parser) peek(c byte) bool { return p.at < len(p.text) && p.text[p.at] == c }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isNameByte(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || c == '-' || c == '_'
}
