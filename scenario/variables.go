package scenario

import (
	"slices"
	"strings"
)

// Place is a kind of field that holds a template. Places are a set.
type Place uint16

// The places.
const (
	InSay     Place = 1 << iota // what users say
	InHeaders                   // of every request of the target
	InRequest                   // path, headers and body of a turn
	InBearer                    // the token of auth
	InClaims                    // subject and claims of tokens that cstest signs
	InLogin                     // path, headers and body of the login
	InBefore                    // of the steps before a conversation
	InAgents                    // path and token of the agents' sockets
	InSecret                    // the signing key, the URL of a Redis, a header of observe, where notices go
	InLink                      // where a notice says the report is
	InSystem                    // what the model of api openai is told before the dialog
	InTool                      // what a tool of api openai answers
	InPong                      // what answers a ping of an application
)

// places names each as a person does, in the order of the reference page.
var places = []struct {
	place Place
	name  string
}{
	{InSay, "say"},
	{InHeaders, "headers"},
	{InRequest, "request"},
	{InBearer, "bearer"},
	{InClaims, "claims"},
	{InLogin, "login"},
	{InBefore, "before"},
	{InAgents, "agents"},
	{InSecret, "secrets"},
	{InLink, "link"},
	{InSystem, "system"},
	{InTool, "tools"},
	{InPong, "pong"},
}

// String lists the names: "headers, request".
func (p Place) String() string {
	var names []string
	for _, at := range places {
		if p&at.place != 0 {
			names = append(names, at.name)
		}
	}
	return strings.Join(names, ", ")
}

// Variable is one that templates may name, or a family of them.
type Variable struct {
	Name  string // what stands between ${ and }; capitals stand for any name
	Means string // for a person who writes a scenario
	In    Place
}

const (
	anyColumn = "TABLE.COLUMN"
	anyLogin  = "login.NAME"
	anySaved  = "saved.NAME"
	anyPing   = "ping.NAME"
	anyEnv    = "env:NAME"
	anyFile   = "file:PATH"
)

// variables are all there are. What is checked, what errors say and the
// reference page come from here; driver and load bind these and no others.
var variables = []Variable{
	{anyColumn, "the conversation's row of a table in `data`", InSay | InHeaders | InRequest | InBearer | InClaims | InLogin | InBefore | InSystem | InTool | InPong},
	{"user.id", "who talks: `u0`, `u1`, …; for agents `agent-1`, `agent-2`, …", InSay | InHeaders | InRequest | InBearer | InClaims | InLogin | InBefore | InAgents | InSystem | InTool | InPong},
	{"user.index", "the number in it", InSay | InHeaders | InRequest | InBearer | InClaims | InLogin | InBefore | InAgents | InSystem | InTool | InPong},
	{"run.id", "the run, as `run_id` of its result: no other run has it, all shards and processes of this one have", InSay | InHeaders | InRequest | InBearer | InClaims | InLogin | InBefore | InAgents | InLink | InSystem | InTool | InPong},
	{"conversation.id", "a UUID of the conversation, in this run alone: for sessions whose id the client chooses", InSay | InHeaders | InRequest | InBefore | InSystem | InTool},
	{"turn.index", "the turn's number, from 0", InSay | InHeaders | InRequest | InSystem | InTool},
	{"turn.text", "what the user says", InHeaders | InRequest},
	{"turn.id", "32 hexadecimal digits of the turn, the same when it is sent again, another in the next run", InHeaders | InRequest},
	{"dialog.id", "what the server called the dialog (`response.dialog_id`); empty before it did", InHeaders | InRequest},
	{"trace.id", "the trace id in `traceparent`", InHeaders | InRequest},
	{"span.id", "the span id in it", InHeaders | InRequest},
	{"history", "the dialog so far, oldest message first, as `request.history` writes each: an item of a list, or a whole member, of `request.body`", InRequest},
	{anyPing, "what `save` of `socket.pong` kept of the ping", InPong},
	{"tool.arguments", "the arguments that the model called the tool with, as it wrote them: JSON", InTool},
	{anyLogin, "what `save` of the login kept; in a login, of a step before", InHeaders | InRequest | InBearer | InLogin | InBefore | InSystem | InTool},
	{anySaved, "what `save` of `before`, `request` and `then` kept in this conversation; empty before", InHeaders | InRequest | InBearer | InBefore},
	{anyEnv, "the environment: secrets", InHeaders | InRequest | InBearer | InClaims | InLogin | InBefore | InAgents | InSecret | InLink | InSystem | InTool | InPong},
	{anyFile, "a regular file of at most 64 KiB in the scenario's folder, its last line end cut off: secrets", InHeaders | InRequest | InBearer | InClaims | InLogin | InBefore | InAgents | InSecret | InLink | InSystem | InTool | InPong},
}

// Variables lists the variables of templates, in the order of the reference page.
func Variables() []Variable { return slices.Clone(variables) }

// familyOf gives the variable that a name between ${ and } belongs to: itself,
// or a family. A first part that is of no other may be a table's.
func familyOf(name string) *Variable {
	family := name
	if kind, rest, ok := strings.Cut(name, ":"); ok {
		switch {
		case kind == "env" && isEnvName(rest):
			family = anyEnv
		case kind == "file" && rest != "":
			family = anyFile
		}
	} else if table, column, ok := strings.Cut(name, "."); ok && column != "" {
		switch {
		case table == "login":
			family = anyLogin
		case table == "saved":
			family = anySaved
		case table == "ping":
			family = anyPing
		case !reservedTable(table):
			family = anyColumn
		}
	}
	i := slices.IndexFunc(variables, func(v Variable) bool { return v.Name == family })
	if i < 0 {
		return nil
	}
	return &variables[i]
}

// reservedTable tells whether ${NAME.…} or ${NAME:…} means something already.
func reservedTable(name string) bool {
	return slices.ContainsFunc(variables, func(v Variable) bool {
		return v.Name != anyColumn && (strings.HasPrefix(v.Name, name+".") || strings.HasPrefix(v.Name, name+":"))
	})
}

func isEnvName(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 256
}
