package websocket

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it, and nothing hangs on it
	"encoding/base64"
	"slices"
	"strings"
)

// Version is that of Sec-WebSocket-Version.
const Version = "13"

// NewKey gives a Sec-WebSocket-Key.
func NewKey() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// accepting is the Sec-WebSocket-Accept that goes with a key.
func accepting(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // as above
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Agreed tells what is wrong with a server's 101, whose headers field gives by their
// names in lower case; empty: nothing is.
func Agreed(key string, offered []string, field func(name string) (val []byte, ok bool)) string {
	get := func(name string) string {
		val, _ := field(name)
		return string(val)
	}
	chosen, chose := field("sec-websocket-protocol")
	switch {
	case !strings.EqualFold(get("upgrade"), "websocket"):
		return "it switches to another protocol than websocket"
	case get("sec-websocket-accept") != accepting(key):
		return "its Sec-WebSocket-Accept is not the one for our key"
	case get("sec-websocket-extensions") != "":
		return "it chooses an extension that was not offered"
	case chose && !slices.Contains(offered, string(chosen)):
		return "it chooses a subprotocol that was not offered"
	case !chose && len(offered) > 0:
		return "it chooses none of the subprotocols"
	}
	return ""
}
