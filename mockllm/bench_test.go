package mockllm

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The benchmarks measure a server in a process of its own, on one core if
// taskset is there, driven by wrk on another. Each runs a fixed time:
//
//	go test -run '^$' -bench . -benchtime 1x ./mockllm/
//
// childConfig in the environment makes the test binary that server.
const childConfig = "MOCKLLM_BENCH_CONFIG"

// serveChild is the server process: it announces itself and ends with its stdin.
func serveChild(text string) error {
	cfg, err := ParseConfig([]byte(text))
	if err != nil {
		return err
	}
	s, err := Start(cfg)
	if err != nil {
		return err
	}
	fmt.Println(s.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return s.Close()
}

// child is a server process and where it listens.
type child struct {
	pid int
	url string
}

func startChild(b *testing.B, config string) *child {
	b.Helper()
	args := []string{os.Args[0]}
	if _, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{"taskset", "-c", "1"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childConfig+"="+config, "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Skip(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return &child{pid: cmd.Process.Pid, url: strings.TrimSpace(url)}
}

// cpu is the user and system time the child has used.
func (c *child) cpu(b *testing.B) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid))
	if err != nil {
		b.Skip(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')'):]))
	user, _ := strconv.Atoi(fields[12])
	system, _ := strconv.Atoi(fields[13])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// rss is the child's resident memory in bytes.
func (c *child) rss(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.pid))
	if err != nil {
		b.Skip(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	kb, _ := strconv.ParseFloat(string(m[1]), 64)
	return kb * 1024
}

// metric reads one counter of the child.
func (c *child) metric(b *testing.B, name string) float64 {
	b.Helper()
	res, err := http.Get(c.url + "/metrics")
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindSubmatch(page)
	if m == nil {
		b.Fatalf("no metric %s", name)
	}
	v, _ := strconv.ParseFloat(string(m[1]), 64)
	return v
}

// wrk drives the child for some seconds.
func (c *child) wrk(b *testing.B, script string, conns, seconds int) {
	b.Helper()
	args := []string{"wrk", "-t1", "-c", strconv.Itoa(conns), "-d", strconv.Itoa(seconds), "-s", "testdata/wrk/" + script, c.url + chatPath}
	if _, err := exec.LookPath("wrk"); err != nil {
		b.Skip("wrk is not installed")
	}
	if _, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{"taskset", "-c", "0"}, args...)
	}
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil || strings.Contains(string(out), "Non-2xx") {
		b.Fatalf("wrk: %v\n%s", err, out)
	}
}

// cost drives a child and reports its CPU per unit of a counter.
func cost(b *testing.B, config, script, counter, unit string, conns int) {
	c := startChild(b, config)
	c.wrk(b, script, conns, 1)
	for b.Loop() {
		n, used := c.metric(b, counter), c.cpu(b)
		c.wrk(b, script, conns, 4)
		n, used = c.metric(b, counter)-n, c.cpu(b)-used
		b.ReportMetric(float64(used.Microseconds())/n, "cpu-µs/"+unit)
		b.ReportMetric(n/used.Seconds(), unit+"s/cpu-s")
		b.ReportMetric(n/4, unit+"s/s")
	}
}

const callsCounter = `mockllm_calls_total{purpose="turn"}`

func BenchmarkPlainCompletion(b *testing.B) { cost(b, `{}`, "plain.lua", callsCounter, "call", 64) }

func BenchmarkPlainCompletionEchoAndFaults(b *testing.B) {
	cost(b, `{"echo_context":true,"faults":[{"kind":"slow","share":"1%","factor":1}]}`, "plain.lua", callsCounter, "call", 64)
}

func BenchmarkPlainCompletionWithLatency(b *testing.B) {
	cost(b, `{"latency":{"median":"5ms","p99":"20ms"}}`, "plain.lua", callsCounter, "call", 64)
}

// BenchmarkStreamedChunks streams chunks that are due together.
func BenchmarkStreamedChunks(b *testing.B) {
	cost(b, `{}`, "stream.lua", "mockllm_chunks_total", "chunk", 64)
}

// BenchmarkPacedChunks streams each chunk at its own time: a write for each.
func BenchmarkPacedChunks(b *testing.B) {
	cost(b, `{"latency":{"first_token":"20ms","per_token":"20ms"}}`, "stream.lua", "mockllm_chunks_total", "chunk", 1000)
}

// BenchmarkOpenStreams holds 10,000 streams open and reports the server's memory.
func BenchmarkOpenStreams(b *testing.B) {
	const streams = 10_000
	c := startChild(b, `{"latency":{"first_token":"10ms","per_token":"5s"}}`)
	idle := c.rss(b)
	conns := make([]net.Conn, 0, streams)
	defer func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	}()
	addr := strings.TrimPrefix(c.url, "http://")
	request := []byte(wireForm("POST", chatPath, helloSSE))
	for b.Loop() {
		for len(conns) < streams {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				b.Skipf("%d connections: %v (raise the limit of open files)", len(conns), err)
			}
			conns = append(conns, conn)
			if _, err := conn.Write(request); err != nil {
				b.Fatal(err)
			}
		}
		for end := time.Now().Add(30 * time.Second); c.metric(b, "mockllm_in_flight_calls") < streams; {
			if time.Now().After(end) {
				b.Fatal("not all streams are open after 30s")
			}
			time.Sleep(10 * time.Millisecond)
		}
		peak := c.rss(b)
		for range 20 {
			time.Sleep(100 * time.Millisecond)
			peak = max(peak, c.rss(b))
		}
		if n := c.metric(b, "mockllm_in_flight_calls"); n < streams {
			b.Errorf("%g streams were still open", n)
		}
		b.ReportMetric(peak/(1<<20), "MiB-rss")
		b.ReportMetric((peak-idle)/streams, "B/stream")
	}
}
