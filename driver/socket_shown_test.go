package driver

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// A person is shown the upgrade, every frame of the turn and what came before it, with
// control characters to be seen; and what a place found in the messages.
func TestSocketIsShown(t *testing.T) {
	url := rawSocket(t, switching+"X-Server: s\r\n\r\n", func(c net.Conn, _ int) {
		io.WriteString(c, frame(0x89, "p")+frame(0x81, `{"typing":true}`)+frame(0x81, "{\"text\":\"ok\",\n\"id\":7}")) //nolint:errcheck // the client may be gone
	})
	var shown []string
	target := socketTarget(url)
	d := open(t, target, Options{Base: time.Now(), Capture: func(request, response []byte) {
		shown = append(shown, string(request)+"\n⇒\n"+string(response))
	}})
	target.Response.IsAnswer = nil
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	var r Reply
	line.Do(&Turn{Text: []byte("h\ni")}, &r)
	line.Free(&r)
	if len(shown) != 2 || !strings.HasPrefix(shown[0], "GET / HTTP/1.1\r\n") || !strings.Contains(shown[0], "101 Switching Protocols") || !strings.Contains(shown[0], "X-Server: s") {
		t.Fatalf("%q", shown)
	}
	if want := "→ text, 3 bytes: h␊i\n\n⇒\n← ping, 1 bytes: p\n← text, 15 bytes: {\"typing\":true}\n"; !strings.HasPrefix(shown[1], want) {
		t.Errorf("%q, want %q", shown[1], want)
	}
	for place, want := range map[string]string{"text": "ok", "id": "7", "typing": "true", "body:text": "{\"text\":\"ok\",\n\"id\":7}"} {
		if got, ok := LookUpMessage(place, "← text, 15 bytes: {\"typing\":true}\n← text, 20 bytes: {\"text\":\"ok\",␊\"id\":7}\n", false); !ok || got != want {
			t.Errorf("%s: %q %v", place, got, ok)
		}
	}
	const packets = "← text, 9 bytes: 42[\"reply\",{\"text\":\"ok\"}]\n← text, 1 bytes: 2\n← text, 9 bytes: 431[{\"seat\":7}]\n"
	for place, want := range map[string]string{"text": "ok", "seat": "7", "socket:event": "ack"} {
		if got, ok := LookUpMessage(place, packets, true); !ok || got != want {
			t.Errorf("%s: %q %v", place, got, ok)
		}
	}
}
