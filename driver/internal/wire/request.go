package wire

import "github.com/cstest/cstest/template"

// Values are what a request is filled with; only who wrote its templates knows them.
type Values struct{ Of any }

// Text is a part of a request, ready to be filled.
type Text = template.Bound[Values]

// Request is one kind of request: a turn, a login, the question after a job.
type Request struct {
	Method  string
	Path    Text
	Fields  []Field
	Body    Text
	Bodied  bool   // has a body, even if empty
	Events  bool   // the answer may be a stream of events
	Lines   bool   // of lines, whatever its content type
	Usual   bool   // nearly all requests are of this kind
	Upgrade string // the protocol that the connection is to speak from then on; empty: HTTP
	Accept  Accept
	Written any // its form on the wire, made and read by the carrier
}

// Field is a header.
type Field struct {
	Name  string // lower case
	Value Text
	Maybe bool // left out where Value is empty
}
