package mockllm

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSecondOwnerIsRefused(t *testing.T) {
	s, _ := tcp(t, Config{})
	const storm = `{"ttl":"10m","faults":[{"kind":"status","status":503}]}`
	if status, _ := admin(t, s, "GET", "/mock/owner", ""); status != 404 {
		t.Errorf("an owner at the start: %d", status)
	}
	if status, text := admin(t, s, "PUT", "/mock/config", storm, OwnerHeader, "run-a"); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	for _, other := range []string{"run-b", ""} {
		for _, c := range [][3]string{
			{"PUT", "/mock/config", `{}`}, {"PUT", "/mock/faults", `{"faults":[]}`}, {"PUT", "/mock/epoch", `{"starts_in_ms":1}`}, {"POST", "/mock/reset", ""}, {"DELETE", "/mock/owner", ""},
		} {
			status, text := admin(t, s, c[0], c[1], c[2], OwnerHeader, other)
			if status != 409 || !strings.Contains(text, "armed by run-a for another ") {
				t.Errorf("%s %s of %q: %d %s", c[0], c[1], other, status, text)
			}
		}
	}
	if len(s.Config().Faults) != 1 {
		t.Error("another owner changed the faults")
	}
	if status, text := admin(t, s, "GET", "/mock/owner", ""); status != 200 || !strings.Contains(text, `"owner":"run-a"`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text := admin(t, s, "GET", "/mock/config", ""); status != 200 || !strings.Contains(text, `"ttl":"`) {
		t.Errorf("borrowed time is not told: %d %s", status, text)
	}
	for _, c := range [][3]string{{"PUT", "/mock/config", `{"seed":3}`}, {"PUT", "/mock/faults", `{"faults":[]}`}} {
		if status, text := admin(t, s, c[0], c[1], c[2], OwnerHeader, "run-a"); status != 200 {
			t.Errorf("%s of the owner: %d %s", c[1], status, text)
		}
	}
	// A configuration that stays is nobody's.
	if status, text := admin(t, s, "PUT", "/mock/config", storm, OwnerHeader, "run-b"); status != 200 {
		t.Errorf("after the first gave it back: %d %s", status, text)
	}
	if status, _ := admin(t, s, "DELETE", "/mock/owner", "", OwnerHeader, "run-b"); status != 204 {
		t.Errorf("given up: %d", status)
	}
	if status, _ := admin(t, s, "POST", "/mock/reset", ""); status != 204 {
		t.Errorf("after it was given up: %d", status)
	}
	if status, _ := admin(t, s, "POST", "/mock/reset", "", OwnerHeader, strings.Repeat("x", 201)); status != 400 {
		t.Errorf("a long name: %d", status)
	}
}

func TestOwnershipEndsWithItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lease
		l.take("run-a", time.Minute)
		time.Sleep(59 * time.Second)
		if owner, left := l.held(); owner != "run-a" || left != time.Second {
			t.Errorf("%q for %v", owner, left)
		}
		time.Sleep(time.Second)
		if owner, _ := l.held(); owner != "" {
			t.Errorf("still %q", owner)
		}
	})
}
