//go:build race

package main

// raced: the race detector empties pools at random, so that what is usually
// used again is allocated anew.
const raced = true
