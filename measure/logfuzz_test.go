package measure

import (
	"bytes"
	"io"
	"testing"
	"time"
)

// FuzzSpool reads logs that anybody may have written into: nothing in them panics,
// and what is read back has no byte that was not written as it is.
func FuzzSpool(f *testing.F) {
	var log bytes.Buffer
	p := NewPieces(&log, "0/2")
	plan := &Plan{Stages: []Stage{{Name: "steady", End: 2 * time.Second, Judged: true}}}
	j, err := NewJournal(p, Header{}, plan)
	if err != nil {
		f.Fatal(err)
	}
	if err := j.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(log.Bytes())
	f.Add([]byte("0: " + log.String()[:100] + "\ncstest-journal 0/2 00000000 0 00000000 \ncstest-journal 1/2 0000000a 9223372036854775807 00000000 AAAA\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := NewSpool()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		n, err := s.Read(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("a log in memory: %v", err)
		}
		kept := 0
		for _, stream := range s.Streams() {
			kept += len(stream.pieces)
			// What can be read may be no journal, which is said and does no harm.
			_, _ = stream.Journal()
			_ = FollowJournal(io.LimitReader(&pieceReader{stream: stream}, 1<<20), func(*Snapshot) error { return nil })
		}
		if kept != n {
			t.Errorf("%d pieces read, %d kept", n, kept)
		}
	})
}
