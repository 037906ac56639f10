// Package report tells people afterwards what the result of a run says: several
// renderings of one result.Document that only print it. What is told of several runs,
// of a search or of an experiment has a room of its own beside it, and so have the
// directory that all of it is written into, the formats of CI systems, and escaping:
// every text that comes from a server, a file or a user is hostile here and is escaped
// for where it goes.
package report
