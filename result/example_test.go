package result_test

import (
	"fmt"
	"os"

	"github.com/cstest/cstest/result"
)

// A result.json is read back, and what did not pass is listed.
func ExampleParse() {
	text, err := os.ReadFile("testdata/fail.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := result.Parse(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Scenario.Name, d.Verdict, "exit", d.ExitCode)
	for _, o := range d.Objectives {
		if o.Verdict != "pass" {
			fmt.Println(o.Name, o.Verdict, o.Bad, "bad of", o.N)
		}
	}
	// Output:
	// midnight-sale fail exit 10
	// latency-p95 fail 13942 bad of 33941
	// latency-p99 fail 4619 bad of 33941
	// recovery-latency fail 1 bad of 1
}
