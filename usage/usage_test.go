package usage

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// asChild makes the test binary say what it takes itself.
const asChild = "TEST_BINARY_TELLS_USAGE"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		_, rss := Own()
		fmt.Println(rss)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A child of a large process is not as large for that.
func TestOwnIsNotTheParents(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells the two apart")
	}
	large := make([]byte, 512<<20)
	for i := range large {
		large[i] = 1
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), asChild+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(large)
	rss, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil || rss < 1<<20 || rss > 256<<20 {
		t.Errorf("the child says %q: %v", out, err)
	}
	if _, parent := Own(); parent < 512<<20 {
		t.Errorf("the parent says %d", parent)
	}
}

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
