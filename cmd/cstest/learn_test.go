package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A log becomes a scenario that validate takes; what was found goes to standard
// error.
func TestLearnCommand(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	log := "sid,when,who,msg\n1,2026-11-11 10:00:00,buyer,优惠券怎么用\n1,2026-11-11 10:00:05,buyer,我的手机号 13812345678\n2,2026-11-11 10:01:00,buyer,几天发货\nbroken\n"
	if err := os.WriteFile("log.csv", []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	const columns = "conversation=sid,time=when,role=who,text=msg"
	var out, said strings.Builder
	if code := run(t.Context(), []string{"learn", "log.csv", "--map", columns, "--length", "1m"}, strings.NewReader(""), &out, &said); code != 0 {
		t.Fatalf("exit %d: %s", code, said.String())
	}
	if strings.Contains(out.String()+said.String(), "13812345678") || !strings.Contains(said.String(), "1 rows another number of fields than the header, the first is row 4") {
		t.Errorf("said\n%s\n%s", said.String(), out.String())
	}
	learned := filepath.Join(dir, "learned.yaml")
	if err := os.WriteFile(learned, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if code := run(t.Context(), []string{"validate", learned}, strings.NewReader(""), &out, &said); code != 0 {
		t.Errorf("validate: exit %d: %s", code, said.String())
	}
	out.Reset()
	if code := run(t.Context(), []string{"import", "log.csv", "--map", columns}, strings.NewReader(""), &out, &said); code != 0 || !strings.Contains(out.String(), "几天发货") {
		t.Errorf("import: exit %d: %s%s", code, said.String(), out.String())
	}
	for _, args := range [][]string{{"learn", "log.csv"}, {"learn", "none.csv"}, {"learn", dir}, {"learn", "log.csv", "--map", "x"}, {"learn", "log.csv", "--scale", "0"}} {
		said.Reset()
		if code := run(t.Context(), args, strings.NewReader(""), &out, &said); code != exitUsage {
			t.Errorf("%q: exit %d: %s", args, code, said.String())
		}
	}
}
