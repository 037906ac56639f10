// Package selftest proves on the machine it runs on that what cstest reports is
// what really happened. Every figure is held against one that somebody else
// took: the mock LLM at its own socket, turn by turn, and nginx's access log
// where nginx is installed.
//
//	truth     what a turn took, against what the mock measured of the same turn
//	freeze    response times over a server that stood still, against the closed form
//	release   when turns began, against the plan, by the mock's clock
//	outcomes  what became of every turn, against the faults the mock played
//	foreign   turns, outcomes and times, against the log of a server not ours
package selftest
