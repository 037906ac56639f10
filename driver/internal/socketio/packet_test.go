package socketio

import (
	"encoding/json"
	"testing"

	"github.com/tidwall/gjson"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Packet{
		`0{"sid":"a"}`:                      {Kind: Open, Data: []byte(`{"sid":"a"}`), ID: -1},
		`1`:                                 {Kind: Closing, ID: -1},
		`2`:                                 {Kind: Ping, ID: -1},
		`2probe`:                            {Kind: Ping, Data: []byte("probe"), ID: -1},
		`3`:                                 {Kind: Pong, ID: -1},
		`6`:                                 {Kind: Noop, ID: -1},
		`40`:                                {Kind: Connect, Namespace: []byte("/"), ID: -1},
		`40{"sid":"b"}`:                     {Kind: Connect, Namespace: []byte("/"), Data: []byte(`{"sid":"b"}`), ID: -1},
		`40/chat,{"sid":"b"}`:               {Kind: Connect, Namespace: []byte("/chat"), Data: []byte(`{"sid":"b"}`), ID: -1},
		`40/chat?x=1,`:                      {Kind: Connect, Namespace: []byte("/chat"), ID: -1},
		`41/chat`:                           {Kind: Disconnect, Namespace: []byte("/chat"), ID: -1},
		`42["say"]`:                         {Kind: Event, Namespace: []byte("/"), Name: []byte("say"), ID: -1},
		`42["say",{"a":1}]`:                 {Kind: Event, Namespace: []byte("/"), Name: []byte("say"), Data: []byte(`{"a":1}`), ID: -1},
		`42["say", "x" , 2 ]`:               {Kind: Event, Namespace: []byte("/"), Name: []byte("say"), Data: []byte(`["x" , 2 ]`), ID: -1},
		`42/a,17["s\"\u00e9y","好"]`:         {Kind: Event, Namespace: []byte("/a"), Name: []byte(`s"éy`), Data: []byte(`"好"`), ID: 17},
		`43/a,9[{"ok":true}]`:               {Kind: Ack, Namespace: []byte("/a"), Data: []byte(`{"ok":true}`), ID: 9},
		`430[]`:                             {Kind: Ack, Namespace: []byte("/"), ID: 0},
		`44{"message":"no"}`:                {Kind: ConnectError, Namespace: []byte("/"), Data: []byte(`{"message":"no"}`), ID: -1},
		`451-["b",{"_placeholder":true}]`:   {Kind: Event, Namespace: []byte("/"), Name: []byte("b"), Data: []byte(`{"_placeholder":true}`), ID: -1, Attachments: 1},
		`462-/a,3[{"_placeholder":true},1]`: {Kind: Ack, Namespace: []byte("/a"), Data: []byte(`[{"_placeholder":true},1]`), ID: 3, Attachments: 2},
	} {
		got, err := Parse([]byte(text))
		if err != nil || got.Kind != want.Kind || string(got.Namespace) != string(want.Namespace) || got.ID != want.ID ||
			string(got.Name) != string(want.Name) || string(got.Data) != string(want.Data) || got.Attachments != want.Attachments {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]error{
		"": errEmpty, "4": errEmpty, "7": errKind, "x": errKind, "47": errKind, "0": errData, "0{": errData, "42": errData, "42{}": errData, "42[]": errData,
		`42["a"`: errData, `42[{}]`: errData, `43[]`: errData, `42["a"]x`: errData, "451": errNumber, `45-["a"]`: errNumber, `45101-["a"]`: errNumber,
		`4299999999999999999999["a"]`: errNumber, "44{": errData,
	} {
		if got, err := Parse([]byte(text)); err != want { //nolint:errorlint // these values and no others
			t.Errorf("%s: %+v, %v, want %v", text, got, err, want)
		}
	}
}

// What is written is read.
func TestAppend(t *testing.T) {
	event := append(append(AppendEvent(nil, "/a", `s"y`, 7), `,{"t":1}`...), ']')
	for _, tt := range []struct {
		packet []byte
		want   string
	}{
		{event, `42/a,7["s\"y",{"t":1}]`},
		{append(AppendEvent(nil, "/", "x", -1), ']'), `42["x"]`},
		{AppendConnect(nil, "/", nil), "40"},
		{AppendConnect(nil, "/a", []byte(`{"t":1}`)), `40/a,{"t":1}`},
		{AppendAck(nil, "/", 3), "433[]"},
	} {
		if string(tt.packet) != tt.want {
			t.Errorf("%s, want %s", tt.packet, tt.want)
		}
		if _, err := Parse(tt.packet); err != nil {
			t.Errorf("%s: %v", tt.packet, err)
		}
	}
}

// Whatever comes: no panic, data that are JSON, and names and numbers that are none
// where there are none.
func FuzzPackets(f *testing.F) {
	for _, seed := range []string{`0{"sid":"a","pingInterval":1}`, "2", "3probe", `40/chat,{"sid":"b"}`, `42["say",{"a":1},2]`, `42/a,17["s"]`, `43/a,9[1]`, `44{"message":"x"}`, `451-["b",{"_placeholder":true,"num":0}]`, "41"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		if p.Attachments < 0 || p.Attachments > MaxAttachments || p.ID < -1 || p.Kind == Ack && p.ID < 0 || p.Kind > ConnectError {
			t.Fatalf("%q is %+v", text, p)
		}
		if (p.Kind == Event || p.Kind == Ack || p.Kind == ConnectError || p.Kind == Connect) && len(p.Data) > 0 && !gjson.ValidBytes(p.Data) {
			t.Fatalf("%q has data %q", text, p.Data)
		}
		if p.Kind != Event || p.Attachments > 0 || !json.Valid(text[len(text)-max(len(p.Data), 0):]) && len(p.Data) > 0 && p.Data[0] == '[' {
			return
		}
		again, err := Parse(append(append(AppendEvent(nil, "/", string(p.Name), p.ID), comma(p.Data)...), ']'))
		if err != nil || string(again.Data) != string(p.Data) && p.Data[0] != '[' {
			t.Fatalf("%q: %+v read back is %+v, %v", text, p, again, err)
		}
	})
}

func comma(data []byte) []byte {
	if len(data) == 0 {
		return nil
	}
	return append([]byte{','}, data...)
}
