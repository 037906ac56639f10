package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// slurmCluster is a real Slurm of nine nodes on this machine, on loopback alone.
type slurmCluster struct {
	dir, conf string
	nodes     []*exec.Cmd // slurmd
}

// startSlurm starts one, as Debian's packages have it; without them the test is skipped.
func startSlurm(t *testing.T) *slurmCluster {
	t.Helper()
	for _, program := range []string{"slurmctld", "slurmd", "srun", "scancel", "sinfo", "munged"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err, ": make deps installs it")
		}
	}
	if os.Getuid() != 0 {
		t.Skip("slurmd runs as root")
	}
	c := &slurmCluster{dir: t.TempDir()}
	// munged wants its folder, and all above it, to be nobody else's to write.
	for dir := c.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c.conf = filepath.Join(c.dir, "slurm.conf")
	c.configure(t)
	c.daemon(t, "munged", "--foreground", "--force", "--key-file="+c.dir+"/munge.key", "--socket="+c.dir+"/munge.sock",
		"--pid-file="+c.dir+"/munged.pid", "--log-file="+c.dir+"/munged.log", "--seed-file="+c.dir+"/munge.seed")
	c.daemon(t, "slurmctld", "-D", "-c")
	for i := range 9 {
		c.nodes = append(c.nodes, c.daemon(t, "slurmd", "-N", fmt.Sprintf("node%d", i), "-D"))
	}
	until(t, "nine idle nodes", func() bool {
		out, _ := c.tool("sinfo", "-h", "-N", "-o", "%T").Output() // until it answers
		return bytes.Count(out, []byte("idle")) == 9
	})
	return c
}

func (c *slurmCluster) configure(t *testing.T) {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	base := portsFrom(t, 10)
	conf := fmt.Sprintf(`ClusterName=cst
SlurmctldHost=%[1]s(127.0.0.1)
SlurmctldPort=%[4]d
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=%[2]s/munge.sock
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=%[2]s/state
SlurmdSpoolDir=%[2]s/spool.%%n
SlurmctldPidFile=%[2]s/ctld.pid
SlurmdPidFile=%[2]s/slurmd.%%n.pid
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=5
KillWait=3
NodeName=node[0-8] NodeHostname=%[1]s NodeAddr=127.0.0.1 Port=[%[3]d-%[5]d] CPUs=16 RealMemory=4000 State=UNKNOWN
PartitionName=p Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`, host, c.dir, base, base+9, base+8)
	key := make([]byte, 128)
	_, _ = rand.Read(key) // never fails
	for name, text := range map[string][]byte{"slurm.conf": []byte(conf), "munge.key": key} {
		if err := os.WriteFile(filepath.Join(c.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(c.dir, "state"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// portsFrom gives the first of n free ports one after the other.
func portsFrom(t *testing.T, n int) int {
	t.Helper()
search:
	for base := 20000 + os.Getpid()%9000; base < 32000; base += n {
		var open []net.Listener
		for i := range n {
			l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(base+i))
			if err == nil {
				open = append(open, l)
			}
		}
		for _, l := range open {
			_ = l.Close()
		}
		if len(open) < n {
			continue search
		}
		return base
	}
	t.Fatal("no free ports")
	return 0
}

// tool is one of Slurm's programs, for this cluster.
func (c *slurmCluster) tool(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "SLURM_CONF="+c.conf)
	return cmd
}

// daemon runs one of Slurm's until the test ends, in a session of its own.
func (c *slurmCluster) daemon(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := c.tool(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	log, err := os.OpenFile(filepath.Join(c.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the daemon has it
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // may be gone
		_ = cmd.Wait()
	})
	return cmd
}

// task finds the process of a shard of a run, by its environment.
func task(t *testing.T, dir string, shard int) int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	want := []byte(fmt.Sprintf("SLURM_PROCID=%d\x00", shard))
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		args, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline") // it may be gone
		env, _ := os.ReadFile("/proc/" + e.Name() + "/environ")
		if bytes.Contains(args, []byte("--journal")) && bytes.Contains(args, []byte(dir)) && bytes.Contains(env, want) {
			return pid
		}
	}
	t.Fatalf("no process of shard %d", shard)
	return 0
}
