//go:build race

package scenario

// raced: the race detector empties pools at random, so that what is usually
// used again is allocated anew.
const raced = true
