// Command sockets is a server of customers' WebSockets at little cost of its own: it
// answers every message with the same JSON and pings every socket now and then. It is
// as many processes as its sockets need descriptors, on one port.
//
//	go run ./driver/testdata/sockets -listen 127.0.0.1:18091 -processes 4 -ping 25s
package main

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const answer = `{"type":"reply","text":"this is the answer to your question, customer"}`

var open, pongs atomic.Int64

func main() {
	listen := flag.String("listen", "127.0.0.1:18091", "where")
	processes := flag.Int("processes", 1, "how many share the port")
	every := flag.Duration("ping", 25*time.Second, "how often a socket is pinged; 0: never")
	child := flag.Bool("child", false, "one of those processes")
	flag.Parse()
	for i := 1; i < *processes && !*child; i++ {
		c := exec.Command(os.Args[0], "-child", "-listen", *listen, "-ping", every.String())
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := c.Start(); err != nil {
			fail(err)
		}
	}
	var config net.ListenConfig
	config.Control = func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		if err != nil {
			return err
		}
		return failed
	}
	l, err := config.Listen(context.Background(), "tcp", *listen)
	if err != nil {
		fail(err)
	}
	go func() {
		for range time.Tick(time.Second) {
			fmt.Printf("%d open %d pongs %d\n", os.Getpid(), open.Load(), pongs.Load())
		}
	}()
	for {
		c, err := l.Accept()
		if err != nil {
			fail(err)
		}
		go serve(c, *every)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func serve(c net.Conn, every time.Duration) {
	defer c.Close()
	in := bufio.NewReaderSize(c, 512)
	r, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	if r.Header.Get("Upgrade") == "" {
		fmt.Fprint(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		return
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-Websocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	open.Add(1)
	defer open.Add(-1)
	if every > 0 {
		var ping func()
		timer := time.AfterFunc(every, func() { ping() })
		defer timer.Stop()
		ping = func() {
			if _, err := c.Write([]byte{0x89, 0}); err == nil {
				timer.Reset(every)
			}
		}
	}
	for {
		op, err := skip(in)
		switch {
		case err != nil || op == 8:
			return
		case op == 10:
			pongs.Add(1)
		case op == 1:
			if _, err := c.Write(append([]byte{0x81, byte(len(answer))}, answer...)); err != nil {
				return
			}
		}
	}
}

// skip reads a client's frame and gives its opcode.
func skip(in *bufio.Reader) (op byte, err error) {
	var head [2]byte
	if _, err = io.ReadFull(in, head[:]); err != nil {
		return 0, err
	}
	n := int(head[1] & 0x7f)
	if n == 126 {
		var b [2]byte
		if _, err = io.ReadFull(in, b[:]); err != nil {
			return 0, err
		}
		n = int(binary.BigEndian.Uint16(b[:]))
	}
	_, err = in.Discard(4 + n)
	return head[0] & 0x0f, err
}
