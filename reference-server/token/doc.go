// Package token tells who calls: by a JWT (token.go), of which the library lets
// more through than this server does (shape.go), or by a pass that was had for
// one and opens one socket (pass.go). name.go says what somebody may be called.
package token
