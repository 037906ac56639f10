package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/selftest"
)

func TestSelftestSaysWhatToTrust(t *testing.T) {
	r := selftest.Report{
		Checks: []selftest.Check{
			{Group: "truth", What: reason.Say("P50"), Truth: reason.Say("20.000 ms"), Measured: reason.Say("20.100 ms"), Allowed: reason.Say("± 0.250 ms"), OK: true},
			{Group: "truth", What: reason.Say("P99"), Truth: reason.Say("60.000 ms"), Measured: reason.Say("62.000 ms"), Allowed: reason.Say("± 0.600 ms")},
			{Group: "freeze", What: reason.Say("service"), Measured: reason.Say("1.000 ms"), OK: true},
		},
		Trust: 1530 * time.Microsecond, Skipped: []error{errors.New("no nginx")},
	}
	var out strings.Builder
	if err := printSelftest(&out, &r, reason.English); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"± 0.250 ms  ok\n", "± 0.600 ms  WRONG\n", "not checked: no nginx\n", "1 of 3 checks failed\n", "figures under 1.53 ms are not to be trusted on this machine now"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("does not say %q:\n%s", want, out.String())
		}
	}
}
