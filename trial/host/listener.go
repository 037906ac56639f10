package host

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// listeners are the processes that accept connections at a port of this machine,
// as far as this user may know.
func listeners(root string, port int, procs map[int]process) map[int]bool {
	sockets := map[string]bool{}
	for _, family := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(filepath.Join(root, "net", family))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if inode, ok := listensAt(line, port); ok {
				sockets["socket:["+inode+"]"] = true
			}
		}
	}
	found := map[int]bool{}
	if len(sockets) == 0 {
		return found
	}
	for pid := range procs {
		dir := filepath.Join(root, strconv.Itoa(pid), "fd")
		open, err := os.ReadDir(dir)
		if err != nil {
			continue // another user's, or gone
		}
		for _, fd := range open {
			if to, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && sockets[to] {
				found[pid] = true
			}
		}
	}
	return found
}

// listensAt reads "sl: local:PORT remote:PORT 0A … inode", numbers in hexadecimal; 0A
// is a socket that listens.
func listensAt(line string, port int) (inode string, ok bool) {
	f := strings.Fields(line)
	if len(f) < 10 || f[3] != "0A" {
		return "", false
	}
	_, at, _ := strings.Cut(f[1], ":")
	n, err := strconv.ParseUint(at, 16, 16)
	return f[9], err == nil && int(n) == port
}
