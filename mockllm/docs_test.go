package mockllm

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/cstest/cstest/mockllm/config"
)

// TestManual holds docs/mockllm.md against the code: its configurations are
// valid, every kind has an example, every key is named.
func TestManual(t *testing.T) {
	page, err := os.ReadFile("../docs/mockllm.md")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(page)
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(manual, -1)
	if len(blocks) == 0 {
		t.Error("no configuration in the manual")
	}
	for _, b := range blocks {
		cfg, err := ParseConfig([]byte(b[1]))
		if err == nil {
			err = cfg.Validate()
		}
		if err != nil {
			t.Errorf("%v in\n%s", err, b[1])
		}
	}
	shown := map[string]bool{}
	for _, m := range regexp.MustCompile("`(\\{\"kind\".*?\\})` \\|").FindAllStringSubmatch(manual, -1) {
		cfg, err := ParseConfig([]byte(`{"faults":[` + m[1] + `]}`))
		if err == nil {
			err = cfg.Validate()
		}
		if err != nil {
			t.Errorf("%v in %s", err, m[1])
			continue
		}
		shown[cfg.Faults[0].Kind] = true
	}
	for _, m := range regexp.MustCompile("`(\\{\"(?:constant|min|median|first_token)\".*?\\})`").FindAllStringSubmatch(manual, -1) {
		if _, err := ParseConfig([]byte(`{"latency":` + m[1] + `}`)); err != nil {
			t.Errorf("%v in %s", err, m[1])
		}
	}
	for _, k := range Kinds() {
		if !shown[k] {
			t.Errorf("no example of %s", k)
		}
	}
	for _, k := range append(config.KeysOf(typeOf[Config]()), config.KeysOf(typeOf[Fault]())...) {
		if !strings.Contains(manual, "`"+k+"`") && !strings.Contains(manual, `"`+k+`"`) {
			t.Errorf("key %s is not in the manual", k)
		}
	}
}
