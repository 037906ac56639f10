// Package histograms writes the HdrHistogram log of a run, and tells what is in one.
package histograms

import (
	"fmt"
	"io"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/measure/hdrlog"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/result"
)

// fileName is the name of the HdrHistogram log in a result directory.
const fileName = "latency.hlog"

// File is the HdrHistogram log (version 1.3, nanoseconds) of a run as a file of
// its result directory: one histogram over the whole run for each timing, tagged
// response, service, first_token, chunk_gap, connect, lag, first_reasoning and token_time, and
// the response time of each turn of the scenario, tagged CONVERSATION.TURN. The Document
// holds quantiles only, so the snapshot is needed.
func File(d *result.Document, snap *measure.Snapshot) directory.File {
	return directory.File{Name: fileName, Write: func(w io.Writer) error { return write(d, snap, w) }}
}

// write writes the log that File describes.
func write(d *result.Document, snap *measure.Snapshot, out io.Writer) error {
	tags := [measure.Timings]string{"response", "service", "first_token", "chunk_gap", "connect", "lag", "first_reasoning", "token_time"}
	var entries []hdrlog.Entry
	add := func(tag string, h *measure.Histogram) {
		if h.N() > 0 {
			entries = append(entries, hdrlog.Entry{Tag: tag, To: snap.Elapsed, Histogram: h})
		}
	}
	for i, h := range snap.Timings {
		add(tags[i], h)
	}
	if snap.Plan != nil {
		for i, slot := range snap.Plan.Slots {
			if i < len(snap.Slots) {
				add(fmt.Sprintf("%s.%d", escape.Slug(slot.Conversation), slot.Index+1), snap.Slots[i].Response)
			}
		}
	}
	comments := []string{
		"cstest " + escape.Clean(d.CstestVersion) + ", scenario " + escape.Clean(d.Scenario.Name) + ", run " + escape.Clean(d.RunID),
		"answered turns; response from the intended start, service from the first byte sent; verdict " + escape.Clean(d.Verdict),
	}
	return hdrlog.Write(out, d.Started(), comments, entries)
}
