package config

import (
	"encoding/json"
	"reflect"
	"testing"
)

func FuzzParseOverride(f *testing.F) {
	f.Add("status;status=429;retry_after=2s")
	f.Add("drip;bytes_per_s=1KiB")
	f.Add(";;=;")
	f.Fuzz(func(t *testing.T, s string) {
		fault, err := ParseOverride(s)
		if err == nil && KindOf(fault.Kind) == kindNone {
			t.Errorf("%q gave no kind", s)
		}
	})
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"latency":{"median":"110ms","p99":"320ms"},"faults":[{"kind":"slow","flap":{"on":"1s","off":"1s"}}]}`))
	f.Add([]byte(`{"latency":{"per_token":"1ms","first_token":{"min":"1ms","max":"2ms"}}}`))
	f.Add([]byte(`{"faults":[null,[]]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := ParseConfig(data)
		if err != nil || cfg.Validate() != nil {
			return
		}
		again, err := json.Marshal(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := ParseConfig(again); err != nil || !reflect.DeepEqual(cfg.WithDefaults(), same.WithDefaults()) {
			t.Errorf("%s is read back as %+v: %v", again, same, err)
		}
	})
}
