package socket

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// poller waits for sockets to become readable: an epoll set of its own, which the
// runtime's poller watches as one descriptor. A socket is reported once, until it is
// watched again.
type poller struct {
	file *os.File
	raw  syscall.RawConn
	fd   int
	err  error
}

func (p *poller) open() {
	if p.fd, p.err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); p.err != nil {
		return
	}
	if p.err = unix.SetNonblock(p.fd, true); p.err != nil {
		return
	}
	p.file = os.NewFile(uintptr(p.fd), "epoll")
	p.raw, p.err = p.file.SyscallConn()
}

func (p *poller) close() {
	if p.file != nil {
		_ = p.file.Close() // wakes run
	}
}

// control changes what is waited for on s.
func (p *poller) control(s *Socket, op int, events uint32) error {
	if p.err != nil {
		return p.err
	}
	var failed error
	err := s.conn.Descriptor(func(fd uintptr) {
		failed = unix.EpollCtl(p.fd, op, int(fd), &unix.EpollEvent{Events: events | unix.EPOLLONESHOT, Fd: int32(s.id), Pad: int32(s.id >> 32)})
	})
	if err != nil {
		return err
	}
	return failed
}

func (p *poller) watch(s *Socket, again bool) error {
	op := unix.EPOLL_CTL_ADD
	if again {
		op = unix.EPOLL_CTL_MOD
	}
	return p.control(s, op, unix.EPOLLIN|unix.EPOLLRDHUP)
}

func (p *poller) unwatch(s *Socket) {
	_ = p.control(s, unix.EPOLL_CTL_MOD, 0) // what is reported all the same is nobody's business while the turn lasts
}

// run reports to k until close.
func (p *poller) run(k *Keeper) {
	if p.err != nil {
		return
	}
	events := make([]unix.EpollEvent, 256)
	for {
		n := 0
		err := p.raw.Read(func(uintptr) bool {
			var err error
			n, err = unix.EpollWait(p.fd, events, 0)
			return n > 0 || err != nil && err != unix.EINTR
		})
		if err != nil {
			return
		}
		for i := range max(n, 0) {
			k.ready(uint64(uint32(events[i].Fd)) | uint64(uint32(events[i].Pad))<<32)
		}
	}
}
