// Package routes finds what answers a request: by its path, byte for byte as it was
// sent, and then by its method.
package routes
