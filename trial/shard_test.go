package trial

import (
	"net"
	"slices"
	"testing"
	"time"
)

// A pool is the whole load's, however many shards share it.
func TestShardsShareThePool(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := parse(t, "{url: 'http://"+l.Addr().String()+"', api: article, connections: shared, pool: 5}", tenSeconds)
	var got []int
	for i := range 3 {
		a := newAttempt(&Options{Scenario: s, Shard: i, Shards: 3})
		a.base = time.Now()
		d, err := a.openDriver()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Prepare(1000); err != nil { // no more than the pool holds
			t.Fatal(err)
		}
		got = append(got, d.Connections())
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if want := []int{1, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("connections %d of a pool of 5, want %d", got, want)
	}
}
