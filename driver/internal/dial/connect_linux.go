package dial

import (
	"context"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// connect opens a TCP connection to one address. It does with seven system calls
// what net.Dialer does with twelve, a goroutine and three timers, which were a
// third of what opening a connection costs: a burst of connections is bounded by that.
// Errors are those of the system calls, os.ErrDeadlineExceeded and ctx's.
func connect(ctx context.Context, from netip.Addr, to netip.AddrPort, until time.Time) (net.Conn, error) {
	if to.Addr().Zone() != "" {
		return dialed(ctx, from, to, until)
	}
	family := unix.AF_INET
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	done, err := begin(fd, from, to)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	s := socket{File: os.NewFile(uintptr(fd), "tcp"), to: to}
	if done {
		return s, nil
	}
	if err := s.await(ctx, until); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// begin connects fd and tells whether it is connected already: over loopback
// the handshake is over when the first call returns, only that call does not say so.
func begin(fd int, from netip.Addr, to netip.AddrPort) (done bool, err error) {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return false, os.NewSyscallError("setsockopt", err)
	}
	if from.IsValid() {
		// The port is chosen at connect, where it need only differ for the same
		// destination. An old kernel without the option only has fewer ports.
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		if err := unix.Bind(fd, sockaddr(netip.AddrPortFrom(from, 0))); err != nil {
			return false, os.NewSyscallError("bind", err)
		}
	}
	switch err := unix.Connect(fd, sockaddr(to)); err {
	case nil:
		return true, refuseSelf(fd, from, to)
	case unix.EINPROGRESS, unix.EINTR:
	default:
		return false, os.NewSyscallError("connect", err)
	}
	switch err := unix.Connect(fd, sockaddr(to)); err {
	case nil, unix.EISCONN:
		return true, refuseSelf(fd, from, to)
	case unix.EALREADY, unix.EINPROGRESS, unix.EINTR:
		return false, nil
	default:
		return false, os.NewSyscallError("connect", err)
	}
}

// refuseSelf notices a connection that met itself: without a listener the kernel
// may choose the destination as the source.
func refuseSelf(fd int, from netip.Addr, to netip.AddrPort) error {
	if from.IsValid() || !to.Addr().IsLoopback() {
		return nil
	}
	own, err := unix.Getsockname(fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	if a, ok := own.(*unix.SockaddrInet4); ok && netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)) == to {
		return os.NewSyscallError("connect", unix.ECONNREFUSED)
	}
	if a, ok := own.(*unix.SockaddrInet6); ok && netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)) == to {
		return os.NewSyscallError("connect", unix.ECONNREFUSED)
	}
	return nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// socket is a TCP connection that the runtime's poller watches as a file.
type socket struct {
	*os.File
	to netip.AddrPort
}

// await waits until the connection stands.
func (s socket) await(ctx context.Context, until time.Time) error {
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	if err := s.SetWriteDeadline(until); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { s.SetWriteDeadline(time.Unix(1, 0)) }) //nolint:errcheck // fails on a closed socket only
	var state error
	err = raw.Write(func(fd uintptr) bool {
		state = unix.Connect(int(fd), sockaddr(s.to))
		return state != unix.EALREADY && state != unix.EINPROGRESS && state != unix.EINTR
	})
	switch {
	case !stop():
		return context.Cause(ctx)
	case err != nil:
		return err
	case state != nil && state != unix.EISCONN:
		return os.NewSyscallError("connect", state)
	}
	return s.SetWriteDeadline(time.Time{})
}

// Read is that of net.Conn.
func (s socket) Read(b []byte) (int, error) {
	n, err := s.File.Read(b)
	return n, cause(err)
}

// Write is that of net.Conn.
func (s socket) Write(b []byte) (int, error) {
	n, err := s.File.Write(b)
	return n, cause(err)
}

// cause gives what a *os.PathError wraps: crypto/tls reads on behind a deadline
// only where the error itself says that it is temporary.
func cause(err error) error {
	if path, ok := err.(*os.PathError); ok { //nolint:errorlint // as os.File gives it
		return path.Err
	}
	return err
}

// LocalAddr is not known: asking costs a system call that nobody needs.
func (s socket) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr is the address connected to.
func (s socket) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.to) }
