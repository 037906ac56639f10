package selftest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// nginxConf answers every turn, three of ten with 503, drawn from its trace id,
// and logs when, what, and to which turn.
const nginxConf = `daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log %[1]s/nginx.err;
events { worker_connections 4096; }
http {
  log_format turn '$msec $status $http_traceparent';
  access_log %[1]s/access.log turn;
  client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
  split_clients $http_traceparent $refused { 30%% 1; * 0; }
  server {
    listen %[2]s;
    keepalive_requests 1000000;
    default_type application/json;
    location / {
      if ($refused) { return 503 '{"error":{"message":"overloaded"}}'; }
      return 200 '{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"您好。"},"finish_reason":"stop"}]}';
    }
  }
}
`

// errNoNginx: there is none on this machine.
var errNoNginx = reason.Errorf("nginx is not installed: no server of somebody else's was measured")

// foreign drives nginx and compares with its log.
func (s *run) foreign(ctx context.Context) ([]Check, error) {
	server, err := startNginx(ctx, s.dir)
	if err != nil {
		return nil, err
	}
	var base time.Time
	l := &loaded{
		pool: 64, timeout: 2 * time.Second, arrivals: "poisson", length: 3 * time.Second, rate: "1k/s",
		armed: func(at time.Time) { base = at },
	}
	d, err := l.drive(ctx, server.url, "")
	if err := errors.Join(err, server.stop()); err != nil {
		return nil, err
	}
	log, err := os.ReadFile(filepath.Join(s.dir, "access.log"))
	if err != nil {
		return nil, err
	}
	calls, err := accesses(log, base)
	if err != nil {
		return nil, err
	}
	pairs := match(d.schedule, seed, d.turns, calls)
	off := make([]time.Duration, 0, len(pairs))
	for _, p := range pairs {
		off = append(off, (p.turn.Done - p.call.written).Abs())
	}
	return append(told("foreign", pairs, d.Snapshot, d.schedule.Len()),
		// nginx writes milliseconds, of a clock it reads once a round of its loop.
		within("foreign", reason.Say("P50 between the end of a turn and nginx's log of it"), 0, quantile(off, 0.5), 2*time.Millisecond)), nil
}

// accesses reads the log: seconds of wall clock, status, traceparent.
func accesses(log []byte, base time.Time) (map[[16]byte]call, error) {
	calls := map[[16]byte]call{}
	for lines := bufio.NewScanner(bytes.NewReader(log)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 {
			return nil, fmt.Errorf("nginx logged %q", lines.Text())
		}
		seconds, err1 := strconv.ParseFloat(fields[0], 64)
		status, err2 := strconv.Atoi(fields[1])
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		parts := strings.Split(fields[2], "-")
		var id [16]byte
		if len(parts) != 4 || len(parts[1]) != 2*len(id) {
			continue // not of a load
		}
		if _, err := hex.Decode(id[:], []byte(parts[1])); err != nil {
			continue
		}
		c := call{written: time.UnixMilli(int64(seconds*1000 + 0.5)).Sub(base.Round(0)), outcome: measure.OK}
		if status == 503 {
			c.outcome = measure.ServerError
		}
		calls[id] = c
	}
	return calls, nil
}

// nginx is one that runs.
type nginx struct {
	url string
	cmd *exec.Cmd
}

func startNginx(ctx context.Context, dir string) (*nginx, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		return nil, errNoNginx
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // a free port, given back for nginx
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, address), 0o600); err != nil {
		return nil, err
	}
	n := &nginx{url: "http://" + address, cmd: exec.Command(path, "-c", conf, "-e", filepath.Join(dir, "nginx.err"))}
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	var refused error
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		var c net.Conn
		if c, refused = net.DialTimeout("tcp", address, time.Second); refused == nil {
			return n, c.Close()
		}
		if err := sleepUntil(ctx, time.Now().Add(20*time.Millisecond)); err != nil {
			return nil, errors.Join(err, n.stop())
		}
	}
	said, _ := os.ReadFile(filepath.Join(dir, "nginx.err")) // best effort: the error below stands without
	return nil, errors.Join(fmt.Errorf("nginx did not start: %w: %s", refused, said), n.stop())
}

// stop ends nginx in good order, so that its log is whole.
func (n *nginx) stop() error {
	if err := n.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	var exited *exec.ExitError
	if err := n.cmd.Wait(); err != nil && !errors.As(err, &exited) {
		return err
	}
	return nil
}
