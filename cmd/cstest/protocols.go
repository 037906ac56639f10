package main

import (
	"slices"
	"strings"

	"github.com/cstest/cstest/tune"
)

// protocolKey is the key of --vary that stands for a way to talk, which takes several
// fields of the scenario.
const protocolKey = "protocol"

// protocolNames are the four ways to talk that the article compares, its first one
// first.
func protocolNames() []string { return []string{"rest", "queue", "websocket", "http2"} }

// protocolFields are what a way to talk sets; secure is of a target with TLS, where
// HTTP/2 is another word.
func protocolFields(name string, secure bool) []string {
	mode, version, connections := "sync", "1.1", "per-user"
	switch name {
	case "queue":
		mode = "async"
	case "websocket":
		mode = "websocket"
	case "http2":
		version, connections = "h2c", "shared"
		if secure {
			version = `"2"`
		}
	}
	return []string{"target.mode=" + mode, "target.http=" + version, "target.connections=" + connections}
}

// checkProtocols refuses ways to talk that there are none of.
func checkProtocols(vary []tune.Vary) error {
	for _, v := range vary {
		for _, name := range v.Values {
			if v.Key == protocolKey && !slices.Contains(protocolNames(), name) {
				return usagef("--vary protocol: %q is none of %s", name, strings.Join(protocolNames(), ", "))
			}
		}
	}
	return nil
}

// holds tells whether a key changes how conversations are held open.
func holds(key string) bool {
	return key == protocolKey || slices.Contains([]string{"target.mode", "target.http", "target.connections", "target.pool"}, key)
}
