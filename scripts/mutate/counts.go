package main

import "fmt"

// counts are what became of changes.
type counts struct{ killed, explained, survived int }

func (c counts) String() string {
	return fmt.Sprintf("%d mutants, %d killed, %d explained, %d survived", c.killed+c.explained+c.survived, c.killed, c.explained, c.survived)
}

func (c counts) plus(o counts) counts {
	return counts{c.killed + o.killed, c.explained + o.explained, c.survived + o.survived}
}
