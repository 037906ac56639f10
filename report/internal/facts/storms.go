package facts

import (
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// StormSpan is when a storm was.
func StormSpan(s result.Storm, w *words.Words) string {
	if s.EndS == nil {
		return figure.Seconds(s.StartS) + " – " + w.StillOpen
	}
	return figure.Seconds(s.StartS) + " – " + figure.Seconds(*s.EndS)
}

// Storm are the figures of a storm, each with its name.
func Storm(s result.Storm, w *words.Words) []string {
	out := []string{w.Detected + " " + w.Unknown}
	if s.CallsPerTurn != nil { // else nobody told whether it went on
		out[0] = w.NotDetected
	}
	if s.DetectS != nil {
		out[0] = w.Detected + " " + figure.Seconds(*s.DetectS)
	}
	latency, quality := w.LatencyNotBack, w.QualityNotBack
	if s.Recovery.LatencyS != nil {
		latency = w.LatencyBack + " " + figure.Seconds(*s.Recovery.LatencyS)
	}
	if s.Recovery.QualityS != nil {
		quality = w.QualityBack + " " + figure.Seconds(*s.Recovery.QualityS)
	}
	out = append(out, latency, quality)
	if s.CallsPerTurn != nil {
		out = append(out, w.CallsPerTurn+" "+unit.Figure(*s.CallsPerTurn))
	}
	if sum := s.Tiers.All(); sum > 0 {
		for _, r := range WhatUsersGot(s.Tiers, w) {
			if r.N > 0 {
				out = append(out, r.Name+" "+figure.Share(float64(r.N)/float64(sum)))
			}
		}
	}
	return out
}
