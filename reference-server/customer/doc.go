// Package customer holds the sockets of customers with an open chat page: the
// connections with their bounds and their end (socket.go), all of them together
// (room.go), and what is counted (metrics.go). What is said over them is not its
// business: a message comes in, and a document goes out.
package customer
