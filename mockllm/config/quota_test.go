package config

import (
	"strings"
	"testing"
	"time"
)

func TestQuota(t *testing.T) {
	for text, want := range map[string]Quota{
		`"500/m"`: {500, time.Minute}, `"200k/min"`: {200_000, time.Minute}, `"10/s"`: {10, time.Second}, `"1k/h"`: {1000, time.Hour}, `"10/d"`: {10, 24 * time.Hour},
	} {
		cfg, err := ParseConfig([]byte(`{"limits":{"requests":` + text + `}}`))
		if err != nil || cfg.Limits.Requests != want {
			t.Errorf("%s: %+v, %v", text, cfg.Limits, err)
		}
		again, err := want.MarshalText()
		var same Quota
		if err != nil || same.UnmarshalText(again) != nil || same != want {
			t.Errorf("%+v is written %q and read back as %+v", want, again, same)
		}
	}
	for _, text := range []string{`"500"`, `"0/m"`, `"-1/m"`, `"5/w"`, `"x/m"`, `500`, `"1.5/m"`} {
		if _, err := ParseConfig([]byte(`{"limits":{"tokens":` + text + `}}`)); err == nil || !strings.HasPrefix(err.Error(), "limits.tokens: ") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
