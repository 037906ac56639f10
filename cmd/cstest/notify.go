package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cstest/cstest/notify"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
)

// notify tells those whom the scenario names of the verdict. One that cannot be told
// is said, and changes nothing. A shard's verdict is nobody's news.
func (j *job) notify(doc *result.Document) {
	if j.spread.shards > 1 {
		return
	}
	errs := make([]error, len(j.chosen.Notify))
	var sending sync.WaitGroup
	for i, n := range j.chosen.Notify {
		if len(n.On) == 0 || slices.Contains(n.On, scenario.NoticeWhen(doc.Verdict)) {
			sending.Go(func() { errs[i] = j.tell(&n, doc) })
		}
	}
	sending.Wait()
	for i, err := range errs {
		if err != nil {
			j.s.say("warning: notify %s: %s; the verdict stands", j.chosen.Notify[i].Kind, j.secrets.Text(err.Error()))
		}
	}
}

func (j *job) tell(n *scenario.Notice, doc *result.Document) error {
	link, err := j.chosen.Expand(strings.ReplaceAll(n.Link, "${run.id}", doc.RunID))
	if err != nil {
		return err
	}
	r := notify.Receiver{Kind: n.Kind}
	if r.URL, err = j.chosen.Expand(n.URL); err != nil {
		return err
	}
	if r.Secret, err = j.chosen.Expand(n.Secret); err != nil {
		return err
	}
	hurry := context.Background()
	if j.signals != nil {
		hurry = j.signals.hard
	}
	return r.Send(hurry, notify.New(doc, link, j.lang), time.Now())
}
