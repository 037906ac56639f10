package trial

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/cstest/cstest/scenario"
)

func TestPrivateAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"127.0.0.1": true, "0.0.0.0": true, "127.200.1.9": true, "::1": true, "10.0.0.1": true, "172.16.0.1": true, "172.31.255.255": true, "192.168.1.1": true,
		"169.254.1.1": true, "fe80::1": true, "fd00::1": true, "100.64.0.1": true, "100.127.255.255": true, "::ffff:10.0.0.1": true,
		"172.32.0.1": false, "8.8.8.8": false, "100.63.255.255": false, "100.128.0.1": false, "::ffff:8.8.8.8": false, "2001:4860:4860::8888": false, "192.167.1.1": false,
	} {
		if got := private(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: private %v, want %v", text, got, want)
		}
	}
}

func TestPublicTargetsAreRefusedUnlessAllowed(t *testing.T) {
	const public = "https://203.0.113.9:8443/chat"
	for _, tt := range []struct {
		name, url string
		resolve   map[string]string
		allow     []string
		refused   bool
	}{
		{"public", public, nil, nil, true},
		{"allowed by address", public, nil, []string{"203.0.113.9"}, false},
		{"allowed by prefix", public, nil, []string{"203.0.113.0/24"}, false},
		{"another prefix", public, nil, []string{"203.0.112.0/24", "nonsense"}, true},
		{"allowed by name", "http://chat.example", map[string]string{"chat.example:80": "203.0.113.9:80"}, []string{"CHAT.example"}, false},
		{"a private name that resolves to a public address", "http://chat.example", map[string]string{"chat.example:80": "203.0.113.9:80"}, []string{"other.example"}, true},
		{"a public name that resolves to a private address", "https://chat.example", map[string]string{"chat.example:443": "10.0.0.8:8443"}, nil, false},
	} {
		local, err := checkAddress(patient(t), &scenario.Target{URL: tt.url, Resolve: tt.resolve}, tt.allow)
		var refused *RefusedError
		if errors.As(err, &refused) != tt.refused || (err != nil) != tt.refused || local {
			t.Errorf("%s: local %v, %v", tt.name, local, err)
		}
		if tt.refused && !strings.Contains(err.Error(), "203.0.113.9") || tt.refused && !strings.Contains(err.Error(), "--allow-target "+refused.Host) {
			t.Errorf("%s: %q does not say which address and flag", tt.name, err)
		}
	}
}

func TestLocalTargetsAreKnown(t *testing.T) {
	for url, want := range map[string]bool{"http://127.0.0.1:80": true, "http://[::1]:80": true, "http://10.255.255.1:80": false} {
		local, err := checkAddress(patient(t), &scenario.Target{URL: url}, nil)
		if err != nil || local != want {
			t.Errorf("%s: local %v, %v", url, local, err)
		}
	}
}

func TestNamesThatCannotBeLookedUp(t *testing.T) {
	_, err := checkAddress(patient(t), &scenario.Target{URL: "http://user:sesame@no-such-host.invalid/x"}, nil)
	var target *TargetError
	if !errors.As(err, &target) || !strings.Contains(err.Error(), "no-such-host.invalid") || strings.Contains(err.Error(), "sesame") {
		t.Errorf("error %v", err)
	}
	if _, err := checkAddress(patient(t), &scenario.Target{URL: "http://%zz"}, nil); err == nil {
		t.Error("a URL that is none was taken")
	}
}
