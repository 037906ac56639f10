// Package backflow keeps the questions that got a worse answer than they deserved,
// and asks the model again when the trouble is over: nobody should have to ask twice
// because the model was ill.
//
// A question goes into a stream in Redis before its answer goes out (outbox.go,
// scripts.go), so that it survives this process and any server may take it up
// (replay.go). While the model is ill or users keep it busy nothing is asked
// (gate.go), and when it is asked, then slowly, by one clock for all servers
// (pace.go). What the model says to a question that many have is gathered for people
// to review (drafts.go); what they accept joins the FAQ of every server (shelf.go).
//
// Every question ends in one way, and each end is counted in the same step that
// takes it off the stream. So at every moment, whatever crashes,
//
//	in = replayed + superseded + dropped + expired + erased + dead + waiting
//
// The package knows neither dialogs nor the model: how a question is asked again is a
// function it is given.
package backflow
