// Package window holds the sockets of customers with an open chat window: the
// connections with their bounds and their end (window.go), all of them together
// (room.go), and what is counted (metrics.go). What is said over them is not its
// business: a message comes in, and a document goes out.
package window
