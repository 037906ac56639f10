// Package pool judges several runs of one scenario together: one verdict in which
// the scatter between runs counts, and a count of the runs that were left out.
package pool
