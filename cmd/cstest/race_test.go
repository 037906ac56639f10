//go:build race

package main

// raced: the race detector keeps memory of its own for all that was ever used.
const raced = true
