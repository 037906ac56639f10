// Package result is what a run comes to: one Document, which is result.json.
// Build judges a Recording and computes the Document, Read takes it from a
// result directory, Recover reads a run back from its journal, Merge adds the
// shards of one load up, and Compare says in what results differ. How a
// Document is shown is the business of report.
package result
