// Package derive makes a scenario from requests that somebody recorded: a curl
// command as browsers and API pages give it, or a HAR file. It finds out which part of
// a request is what the customer says, which ids are the user's, the dialog's and the
// turn's, what is secret, and, where answers were recorded, where the reply stands in
// them. What it cannot know it says in Notes, for a person to look at.
//
// It does no I/O, and takes nothing it is given for true: all of it may be hostile.
package derive
