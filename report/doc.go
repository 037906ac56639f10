// Package report tells people afterwards what a result says: several renderings
// of one result.Document that only print it.
// Every text that comes from a server, a file or a user is hostile here and is
// escaped for where it goes.
package report
