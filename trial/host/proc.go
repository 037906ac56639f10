package host

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is what /proc counts processors' time in: USER_HZ is 100 on every system
// that Go and Linux share.
const tick = 10 * time.Millisecond

// reading is what the machine tells at one instant.
type reading struct {
	ok        bool
	at        time.Time
	pressure  time.Duration // for how long some process has waited for a processor, ever
	cores     int
	processes time.Duration // that processes used
	busy      time.Duration // processes, interrupts and the hypervisor
	steal     time.Duration // the hypervisor
	all       time.Duration // idle too
	procs     map[int]process
}

// process is one of /proc.
type process struct {
	name   string
	parent int
	born   uint64 // ticks since the machine started
	cpu    time.Duration
}

// read reads root, a /proc. It is not ok where that has no pressure or no processors.
func read(root string, at time.Time) reading {
	r := reading{at: at, procs: map[int]process{}}
	pressure, err := os.ReadFile(filepath.Join(root, "pressure", "cpu")) //nolint:gosec // root is /proc, or what the operator says it is
	if err != nil {
		return r
	}
	stat, err := os.ReadFile(filepath.Join(root, "stat")) //nolint:gosec // likewise
	if err != nil {
		return r
	}
	var known bool
	if r.pressure, known = parsePressure(pressure); !known || !r.parseStat(stat) {
		return r
	}
	r.ok = true
	dir, err := os.Open(root) //nolint:gosec // likewise
	if err != nil {
		return r
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil || len(names) > mostProcesses {
		return r
	}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		// One that has ended meanwhile has no file any more.
		if line, err := os.ReadFile(filepath.Join(root, name, "stat")); err == nil { //nolint:gosec // likewise
			if p, ok := parseProcess(line); ok {
				r.procs[pid] = p
			}
		}
	}
	return r
}

// parsePressure reads the total of "some avg10=… avg60=… avg300=… total=µs".
func parsePressure(text []byte) (time.Duration, bool) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	rest, some := bytes.CutPrefix(line, []byte("some "))
	_, total, found := bytes.Cut(rest, []byte("total="))
	us, err := strconv.ParseInt(string(bytes.TrimSpace(total)), 10, 53)
	return time.Duration(us) * time.Microsecond, some && found && err == nil && us >= 0
}

// parseStat reads "cpu user nice system idle iowait irq softirq steal …" and counts
// the processors below it.
func (r *reading) parseStat(text []byte) bool {
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 9 || string(fields[0]) != "cpu" {
		return false
	}
	var t [8]time.Duration
	for i, f := range fields[1:9] {
		v, err := strconv.ParseInt(string(f), 10, 53)
		if err != nil || v < 0 {
			return false
		}
		t[i] = time.Duration(v) * tick
		r.all += t[i]
	}
	r.processes, r.steal = t[0]+t[1]+t[2], t[7]
	r.busy = r.all - t[3] - t[4]
	for bytes.HasPrefix(rest, []byte("cpu")) {
		r.cores++
		_, rest, _ = bytes.Cut(rest, []byte("\n"))
	}
	return r.cores > 0
}

// parseProcess reads "pid (name) state ppid …", utime and stime being the 14th and
// 15th field, the start the 22nd. The name may hold anything.
func parseProcess(line []byte) (p process, ok bool) {
	open, shut := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 0 || shut < open {
		return p, false
	}
	f := bytes.Fields(line[shut+1:]) // from the third field on
	if len(f) < 20 {
		return p, false
	}
	var n [4]int64
	for i, at := range [...]int{4, 14, 15, 22} {
		v, err := strconv.ParseInt(string(f[at-3]), 10, 63)
		if err != nil || v < 0 {
			return p, false
		}
		n[i] = v
	}
	return process{name: string(line[open+1 : shut]), parent: int(n[0]), born: uint64(n[3]), cpu: time.Duration(n[1]+n[2]) * tick}, true
}
