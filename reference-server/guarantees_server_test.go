//go:build unix

package refserver

import (
	"syscall"
	"testing"

	"github.com/cstest/cstest/internal/redistest"
)

// The same while a real redis-server is what fails.
func TestGuaranteesOnAFailingRedisServer(t *testing.T) {
	llm := echoModel(t)
	p := redistest.StartKeeping(t)
	for _, f := range serverFaults(p) {
		t.Run(f.name, func(t *testing.T) { holdDialogsUnder(t, &f, llm, p.URL()) })
	}
}

// serverFaults are what only a redis-server can have. It writes every command to its
// file before it answers, so what it was killed with is back when it is.
func serverFaults(p *redistest.Server) []fault {
	return []fault{
		{name: "killed, and back with its file", unkept: true, do: func(t *testing.T, k *talker, _ *deafRedis) {
			for range 2 {
				k.more(tries)
				p.Kill()
				k.more(tries)
				p.Restart(t)
			}
		}},
		{name: "restarted empty", loses: true, unkept: true, do: func(t *testing.T, k *talker, _ *deafRedis) {
			k.more(tries)
			p.Kill()
			p.Forget(t)
			k.more(tries)
			p.Restart(t)
		}},
		{name: "stopped", unkept: true, do: func(t *testing.T, k *talker, _ *deafRedis) {
			for range 3 {
				k.more(tries)
				p.Signal(t, syscall.SIGSTOP)
				k.more(tries)
				p.Signal(t, syscall.SIGCONT)
			}
		}},
		{name: "out of memory", unkept: true, do: func(t *testing.T, k *talker, _ *deafRedis) {
			for range 2 {
				k.more(tries)
				p.Tell(t, "CONFIG", "SET", "maxmemory", "1")
				k.more(tries)
				p.Tell(t, "CONFIG", "SET", "maxmemory", "0")
			}
		}},
		{name: "read-only", unkept: true, do: func(t *testing.T, k *talker, _ *deafRedis) {
			for range 2 {
				k.more(tries)
				p.Tell(t, "REPLICAOF", "127.0.0.1", "1")
				k.more(tries)
				p.Tell(t, "REPLICAOF", "NO", "ONE")
			}
		}},
	}
}
