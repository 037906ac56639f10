package usage

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

func TestResidentBytes(t *testing.T) {
	for goos, want := range map[string]int64{"darwin": 4096, "ios": 4096, "linux": 4 << 20, "freebsd": 4 << 20, "openbsd": 4 << 20} {
		if got := residentBytes(goos, 4096); got != want {
			t.Errorf("%s: 4096 are %d bytes, want %d", goos, got, want)
		}
	}
}

// A Go process takes more than 1 MiB and, here, less than 16 GiB: a wrong unit is a thousandfold off.
func TestOwnAndOf(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the system does not tell")
	}
	cpu, own := Own()
	if cpu <= 0 || own < 1<<20 || own > 16<<30 {
		t.Errorf("own: %v of CPU, %d bytes", cpu, own)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if cpu, rss := Of(cmd.ProcessState); cpu <= 0 || rss < 1<<20 || rss > 16<<30 {
		t.Errorf("child: %v of CPU, %d bytes", cpu, rss)
	}
	if cpu, rss := Of(nil); cpu != 0 || rss != 0 {
		t.Errorf("no process: %v, %d", cpu, rss)
	}
}
