// Package wire is what carriers of requests have in common: what is to be sent,
// what came back, within which bounds, and why it did not.
package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// Reason is why a turn has no whole answer. See package driver.
type Reason uint8

// The reasons.
const (
	Complete    Reason = iota
	Unreachable        // DNS, connect, TLS
	Broken             // reset, EOF, a protocol error
	TimedOut           // the client's deadline, or a stall
	Truncated          // a stream without its terminal event
	Malformed          // invalid JSON, no answer in it, an error event
	Oversized          // beyond the target's limits
	Interrupted        // by Interrupt
	Exhausted          // our own fault: descriptors, ports
)

// Fault is why an exchange did not end well; the zero fault is none.
type Fault struct {
	Reason  Reason
	Message string
}

// NewFault gives a fault. Message says the same for the same cause.
func NewFault(reason Reason, message string) Fault { return Fault{Reason: reason, Message: message} }

// Interruption is the fault of an exchange that Interrupt cut short.
func Interruption() Fault { return NewFault(Interrupted, "interrupted") }

// Bad tells whether f is one.
func (f Fault) Bad() bool { return f.Reason != Complete }

// ClosedEarly is the message of a connection that ended too soon.
const ClosedEarly = "connection closed by the server before the answer was whole"

// NoWholeAnswer is the message of a time that was up before an answer was whole.
const NoWholeAnswer = "no whole answer within the timeout"

// maxMessage bounds a message made from somebody else's text.
const maxMessage = 160

// IOFault says what an error of a socket in use means.
func IOFault(err error) Fault {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return NewFault(TimedOut, NoWholeAnswer)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return NewFault(Broken, ClosedEarly)
	case errors.Is(err, syscall.ECONNRESET):
		return NewFault(Broken, "connection reset by the server")
	case errors.Is(err, syscall.EPIPE):
		return NewFault(Broken, "connection closed by the server while the request was written")
	case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrClosed):
		return Interruption()
	}
	return NewFault(Broken, Short(err))
}

// DialFault says what an error of opening a connection means.
func DialFault(err error) Fault {
	var dns *net.DNSError
	var host x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	for _, own := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, own) {
			return NewFault(Exhausted, "no more connections can be opened here: "+own.Error())
		}
	}
	switch {
	case errors.As(err, &dns):
		if dns.IsTimeout {
			return NewFault(TimedOut, "name lookup took longer than the timeout")
		}
		if !dns.IsNotFound {
			return NewFault(Unreachable, "name lookup: "+Short(errors.New(dns.Err)))
		}
		return NewFault(Unreachable, "name lookup: no such host")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return NewFault(TimedOut, "connecting took longer than the timeout")
	case errors.Is(err, context.Canceled):
		return Interruption()
	case errors.As(err, &host):
		return NewFault(Unreachable, "tls: the certificate is for another host")
	case errors.As(err, &authority):
		return NewFault(Unreachable, "tls: the certificate is signed by an unknown authority")
	case errors.As(err, &invalid):
		if invalid.Reason == x509.Expired {
			return NewFault(Unreachable, "tls: the certificate is expired or not yet valid")
		}
		return NewFault(Unreachable, "tls: the certificate is not valid")
	case errors.As(err, &alert):
		return NewFault(Unreachable, "tls: "+alert.Error())
	case errors.As(err, &record):
		return NewFault(Unreachable, "tls: the server does not speak TLS")
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return NewFault(Unreachable, "connection closed by the server while it was being made")
	case IsTimeout(err):
		return NewFault(TimedOut, "connecting took longer than the timeout")
	}
	return NewFault(Unreachable, Short(err))
}

// IsTimeout tells whether err is a deadline that passed.
func IsTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// Short gives the innermost text of err, without the addresses and ports that
// differ from connection to connection.
func Short(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	if file, ok := errors.AsType[*os.PathError](err); ok {
		err = file.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	text := strings.ToValidUTF8(err.Error(), "?")
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "")
	}
	return text
}

// Visible gives the begin of somebody else's text for a message: what a terminal
// or an editor would obey, and not show, becomes a question mark.
func Visible(text []byte) string {
	s := string(text)
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "")
	}
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != utf8.RuneError {
			return r
		}
		return '?'
	}, s)
}
