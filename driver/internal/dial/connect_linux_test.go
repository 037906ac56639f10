package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
	"golang.org/x/sys/unix"
)

// full gives the address of a listener that takes no more connections: the
// kernel lets further ones wait.
func full(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	own, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	a := own.(*unix.SockaddrInet4)
	to := netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	c, err := connect(context.Background(), netip.Addr{}, to, time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err) // a queue of 0 holds one
	}
	t.Cleanup(func() { c.Close() })
	return to
}

func TestConnectWaits(t *testing.T) {
	to := full(t)
	if _, err := connect(context.Background(), netip.Addr{}, to, time.Now().Add(50*time.Millisecond)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a server that does not answer: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error)
	go func() {
		_, err := connect(ctx, netip.Addr{}, to, time.Now().Add(time.Minute))
		result <- err
	}()
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// Without a listener the kernel may connect a socket to itself.
func TestConnectToItself(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, sockaddr(to)); err != nil {
		t.Fatal(err)
	}
	if _, err := begin(fd, netip.Addr{}, to); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("met itself: %v", err)
	}
}

// An opened connection is as one of net's: no delay, both families, errors by their names.
func TestConnect(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("%s: %v", address, err)
			continue
		}
		to := l.Addr().(*net.TCPAddr).AddrPort()
		c, err := connect(context.Background(), netip.Addr{}, to, time.Now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := c.(socket).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		err = raw.Control(func(fd uintptr) {
			if v, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY); v == 0 || err != nil {
				t.Errorf("no delay: %d, %v", v, err)
			}
		})
		if err != nil || c.RemoteAddr().String() != l.Addr().String() {
			t.Errorf("connected to %s: %v", c.RemoteAddr(), err)
		}
		other, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		other.Close()
		if n, err := c.Read(make([]byte, 1)); n != 0 || wire.IOFault(err).Message != wire.ClosedEarly {
			t.Errorf("read %d, %v", n, err)
		}
		c.Close()
		if _, err := c.Read(make([]byte, 1)); wire.IOFault(err).Reason != wire.Interrupted {
			t.Errorf("read of a closed one: %v", err)
		}
		l.Close()
		if _, err := connect(context.Background(), netip.Addr{}, to, time.Now().Add(time.Minute)); wire.DialFault(err).Message != "connection refused" {
			t.Errorf("nobody listens: %v", err)
		}
	}
}
