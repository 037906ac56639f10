package scenario_test

import (
	"fmt"

	"github.com/cstest/cstest/scenario"
)

func ExampleParse() {
	s, err := scenario.Parse("night.yaml", []byte(`
version: 1
name: night
target: {url: "http://127.0.0.1:8080"}
load: {users: 20, for: 30s}
conversations:
  - name: coupon
    turns: [{say: 优惠券}, {say: 退货}]
sla: {latency: {p99: 500ms}}
`), scenario.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Target.API, s.Target.Mode, s.Target.HTTP, s.Target.Timeout)
	for _, o := range s.Objectives() {
		fmt.Println(o.Name, o.Kind)
	}
	// Output:
	// reference sync 1.1 3s
	// latency-p99 latency
	// integrity integrity
}
