// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"html/template"
	"io"
	"strings"
)

// reviewPage is one page without scripts and without anything from elsewhere. On paper the heads of the tables are on each sheet, no row is
// split, and no meaning is in a colour alone.
var reviewPage = template.Must(template.New("review").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Access review of {{.Namespace}}, {{.AsOf}}</title>
<style>
body { font: 10pt/1.4 system-ui, sans-serif; color: #111; margin: 2em auto; max-width: 75em; padding: 0 1em; }
h1 { font-size: 1.5em; margin: 0 0 .2em; }
h2 { font-size: 1.15em; margin: 1.6em 0 .4em; break-after: avoid; }
p { margin: .3em 0; }
table { border-collapse: collapse; width: 100%; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
th, td { text-align: left; vertical-align: top; padding: .25em .6em .25em 0; border-bottom: 1px solid #bbb; overflow-wrap: anywhere; }
th { border-bottom: 2px solid #111; white-space: nowrap; overflow-wrap: normal; }
td.mark { font-weight: bold; }
.decide { white-space: nowrap; }
.sign { margin-top: 3em; break-inside: avoid; }
.sign span { display: inline-block; width: 16em; border-bottom: 1px solid #111; margin: 0 2em 0 .5em; }
@page { size: A4 landscape; margin: 14mm; }
@media print { body { font-size: 9pt; margin: 0; max-width: none; padding: 0; } }
</style>
</head>
<body>
<h1>Access review</h1>
<p>Namespace {{.Namespace}} of {{.Cluster}}, as of {{.AsOf}}.</p>
{{range .Notes}}<p>{{.}}</p>
{{end}}
{{range .Parts}}<h2>{{.Title}}</h2>
{{if .Rows}}<table>
<thead><tr>{{range .Header}}<th scope="col">{{.}}</th>{{end}}{{if .Decide}}<th scope="col">Decision</th>{{end}}</tr></thead>
<tbody>
{{$part := .}}{{range .Rows}}<tr>{{range $i, $cell := .}}<td{{if eq $i $part.Mark}} class="mark"{{end}}>{{$cell}}</td>{{end}}{{if $part.Decide}}<td class="decide">☐ keep ☐ remove</td>{{end}}</tr>
{{end}}</tbody>
</table>
{{else}}<p>None.</p>
{{end}}{{end}}
<p class="sign">Reviewed by<span></span>Date<span></span></p>
</body>
</html>
`))

// reviewPart is one table of the page.
type reviewPart struct {
	Title  string
	Header []string
	Rows   [][]string
	// Mark is the column that is in bold, and Decide adds boxes to tick.
	Mark   int
	Decide bool
}

// html writes the review as one page.
func (r *review) html(out io.Writer) error {
	var admins, others, without []personRow
	for _, row := range r.People {
		switch {
		case !row.canSignIn() && !row.isPendingDenial():
			without = append(without, row)
		case row.isAdmin():
			admins = append(admins, row)
		default:
			others = append(others, row)
		}
	}
	const marks = 7 // the column of the sheet
	page := struct {
		Namespace, Cluster, AsOf string
		Notes                    []string
		Parts                    []reviewPart
	}{Namespace: printable(r.Namespace), Cluster: printable(r.Cluster), AsOf: instant(&r.AsOf)}
	for _, each := range r.Organizations {
		page.Notes = append(page.Notes, printable(each.summary()), printable(each.Note))
	}
	for _, part := range []struct {
		title  string
		rows   []personRow
		decide bool
	}{{"Admins who can sign in", admins, true}, {"Other people who can sign in", others, true}, {"People who cannot sign in", without, false}} {
		made := (&review{People: part.rows}).sheet()
		page.Parts = append(page.Parts, reviewPart{part.title, titles(made.header), shownRows(made.rows), marks, part.decide})
	}
	if r.Compared != nil {
		for _, each := range r.Compared.NotCompared {
			page.Notes = append(page.Notes, printable(each))
		}
		made := r.Compared.sheet()
		part := reviewPart{"Gained and lost since the review of " + instant(&r.Compared.Since), titles(made.header), shownRows(made.rows), -1, false}
		page.Parts = append([]reviewPart{part}, page.Parts...)
	}
	return reviewPage.Execute(out, page)
}

// titles are the heads of columns as they are read on paper: "Since".
func titles(header []string) []string {
	read := make([]string, 0, len(header))
	for _, each := range header {
		read = append(read, each[:1]+strings.ToLower(each[1:]))
	}
	return read
}

// shownRows are cells without characters that hide or turn round what is read. The template escapes the rest.
func shownRows(rows [][]string) [][]string {
	shown := make([][]string, 0, len(rows))
	for _, row := range rows {
		cells := make([]string, 0, len(row))
		for _, cell := range row {
			cells = append(cells, printable(cell))
		}
		shown = append(shown, cells)
	}
	return shown
}
