package model

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cstest/cstest/reference-server/trace"
)

// Among callers that leave at any moment and a server that closes at any moment,
// every answer is that of its own request, and every request is sent once.
func TestAnswersAreThoseOfTheirRequests(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	p := newPeer(t, func(n int64, l *line) {
		draw := rand.New(rand.NewPCG(1, uint64(n)))
		for l.read() {
			mu.Lock()
			seen[string(l.body)]++
			mu.Unlock()
			whole := plainAnswer(string(l.body))
			switch half := draw.IntN(len(whole)); draw.IntN(10) {
			case 0: // half an answer
				l.write(whole[:half])
				return
			case 1: // none
				return
			case 2: // a close nobody was told of
				l.write(whole)
				return
			case 3, 4: // in two pieces
				l.write(whole[:half])
				l.write(whole[half:])
			case 5: // more than was asked for
				l.write(whole + plainAnswer("too much"))
			default:
				l.write(whole)
			}
		}
	})
	o := usual
	o.MaxConns, o.MaxIdle = 8, 4
	m := newTestClient(t, p.url, o)
	var callers sync.WaitGroup
	var answered, left sync.Map
	for caller := range 16 {
		callers.Go(func() {
			draw := rand.New(rand.NewPCG(2, uint64(caller)))
			for call := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				if draw.IntN(3) == 0 {
					time.AfterFunc(time.Duration(draw.IntN(400))*time.Microsecond, cancel)
				}
				own := fmt.Sprintf("%d-%d", caller, call)
				got, err := m.Ask(ctx, []byte(own), trace.From(""), "")
				switch f := FaultOf(err); {
				case err == nil && got != own:
					t.Errorf("%s was answered %s", own, got)
				case err == nil:
					answered.Store(own, true)
				case f == FaultCancelled:
					left.Store(own, true)
				case f != FaultTransient:
					t.Errorf("%s: %v", own, err)
				}
				cancel()
			}
		})
	}
	callers.Wait()
	mu.Lock()
	defer mu.Unlock()
	for own, n := range seen {
		if n != 1 {
			t.Errorf("%s was sent %d times", own, n)
		}
	}
	for what, m := range map[string]*sync.Map{"answered": &answered, "left": &left} {
		n := 0
		m.Range(func(any, any) bool { n++; return true })
		if n == 0 {
			t.Errorf("none of the calls was %s", what)
		}
	}
}
