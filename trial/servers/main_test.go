package servers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asChild makes the test binary a server that is started; its value says how
// that server behaves.
const asChild = "TEST_BINARY_IS_CHILD"

func TestMain(m *testing.M) {
	if role := os.Getenv(asChild); role != "" {
		os.Exit(beChild(role, os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

func beChild(role string, in io.Reader, out, errs io.Writer) int {
	switch role {
	case "dies":
		fmt.Fprintln(errs, "looking around")
		fmt.Fprintln(errs, "cstest: listen on 127.0.0.1:1: permission denied")
		return 3
	case "babbles":
		fmt.Fprintln(out, "hello, I am no server")
		return 0
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Fprintln(out, `{"ready":"fake","url":"http://127.0.0.1:1"}`)
		select {}
	case "hangs":
		select {}
	}
	fmt.Fprintf(out, `{"ready":"fake","url":"http://127.0.0.1:1","admin":"http://127.0.0.1:2","pid":%d}`+"\n", os.Getpid())
	fmt.Fprintln(out, "and more, which nobody reads")
	_, _ = io.Copy(io.Discard, bufio.NewReader(in)) // until the parent closes it, or dies
	return 0
}

// patience bounds waits for what must happen; it is no figure of the product.
const patience = 20 * time.Second

func patient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}
