package trial

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/trial/servers"
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
		a := &attempt{Options: Options{Scenario: s, Shard: i, Shards: 3}, servers: &servers.Set{Target: s.Target}, base: time.Now()}
		if err := a.openDriver(); err != nil {
			t.Fatal(err)
		}
		if err := a.driver.Prepare(1000); err != nil { // no more than the pool holds
			t.Fatal(err)
		}
		got = append(got, a.driver.Connections())
		if err := a.driver.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if want := []int{1, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("connections %d of a pool of 5, want %d", got, want)
	}
}
