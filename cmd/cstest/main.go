// Command cstest is a load-testing and SLA-verification toolkit for AI
// customer-service chat.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
