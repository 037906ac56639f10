package driver

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
)

// fault is why an exchange did not end well; the zero fault is none.
type fault struct {
	reason  Reason
	message string
}

func newFault(reason Reason, message string) fault { return fault{reason: reason, message: message} }

func (f fault) bad() bool { return f.reason != Complete }

const closedEarly = "connection closed by the server before the answer was whole"

// maxMessage bounds a message made from somebody else's text.
const maxMessage = 160

// ioFault says what an error of a socket in use means.
func ioFault(err error) fault {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return newFault(TimedOut, "no whole answer within the timeout")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return newFault(Broken, closedEarly)
	case errors.Is(err, syscall.ECONNRESET):
		return newFault(Broken, "connection reset by the server")
	case errors.Is(err, syscall.EPIPE):
		return newFault(Broken, "connection closed by the server while the request was written")
	case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrClosed):
		return newFault(Interrupted, "interrupted")
	}
	return newFault(Broken, short(err))
}

// dialFault says what an error of opening a connection means.
func dialFault(err error) fault {
	var dns *net.DNSError
	var host x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	for _, own := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, own) {
			return newFault(Exhausted, "no more connections can be opened here: "+own.Error())
		}
	}
	switch {
	case errors.As(err, &dns):
		if dns.IsTimeout {
			return newFault(TimedOut, "name lookup took longer than the timeout")
		}
		if !dns.IsNotFound {
			return newFault(Unreachable, "name lookup: "+short(errors.New(dns.Err)))
		}
		return newFault(Unreachable, "name lookup: no such host")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return newFault(TimedOut, "connecting took longer than the timeout")
	case errors.Is(err, context.Canceled):
		return newFault(Interrupted, "interrupted")
	case errors.As(err, &host):
		return newFault(Unreachable, "tls: the certificate is for another host")
	case errors.As(err, &authority):
		return newFault(Unreachable, "tls: the certificate is signed by an unknown authority")
	case errors.As(err, &invalid):
		if invalid.Reason == x509.Expired {
			return newFault(Unreachable, "tls: the certificate is expired or not yet valid")
		}
		return newFault(Unreachable, "tls: the certificate is not valid")
	case errors.As(err, &alert):
		return newFault(Unreachable, "tls: "+alert.Error())
	case errors.As(err, &record):
		return newFault(Unreachable, "tls: the server does not speak TLS")
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return newFault(Unreachable, "connection closed by the server while it was being made")
	case isTimeout(err):
		return newFault(TimedOut, "connecting took longer than the timeout")
	}
	return newFault(Unreachable, short(err))
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// short gives the innermost text of err, without the addresses and ports that
// differ from connection to connection.
func short(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	var file *os.PathError
	if errors.As(err, &file) {
		err = file.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	text := strings.ToValidUTF8(err.Error(), "?")
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "")
	}
	return text
}
