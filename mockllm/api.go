package mockllm

import (
	"time"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/journal"
)

// What a server is told. Package config describes every field.
type (
	// Config is all that a server is told.
	Config = config.Config
	// Dist is a distribution of durations.
	Dist = config.Dist
	// Latency is the time of an answer.
	Latency = config.Latency
	// Capacity is a queueing model.
	Capacity = config.Capacity
	// Limits are quotas as vendors have them.
	Limits = config.Limits
	// Quota is a number in every period.
	Quota = config.Quota
	// Answer is a scripted answer.
	Answer = config.Answer
	// Fault is one window of the schedule.
	Fault = config.Fault
	// Flap is a square wave.
	Flap = config.Flap
)

// What a server tells. Package journal describes every field.
type (
	// Record is one attempt as the journal tells it.
	Record = journal.Record
	// Facts is the compact truth about the calls since the epoch.
	Facts = journal.Facts
	// PhaseFact is a fault window that began.
	PhaseFact = journal.PhaseFact
	// SecondFact counts the arrivals of one second.
	SecondFact = journal.SecondFact
	// Quantiles describes a set of durations.
	Quantiles = journal.Quantiles
	// ClientFacts tell how the client under test treated the server.
	ClientFacts = journal.ClientFacts
	// Finding is how often something was seen.
	Finding = journal.Finding
	// FindingExample is a turn in which it was.
	FindingExample = journal.Example
	// WaitBucket counts waits before retries.
	WaitBucket = journal.Bucket
	// Asked is what is asked about turns of the client's users.
	Asked = journal.Asked
	// LeftTurn is a turn that its user left.
	LeftTurn = journal.LeftTurn
	// GoodTurn is a turn whose answer passed for one.
	GoodTurn = journal.GoodTurn
)

// LogNormal is the latency whose median and 99th percentile are as given.
func LogNormal(median, p99 time.Duration) Latency { return config.LogNormal(median, p99) }

// Constant is the latency that is always d.
func Constant(d time.Duration) Latency { return config.Constant(d) }

// ParseConfig reads a configuration from JSON: strictly, every unknown or repeated
// key, wrong type or unit is an error that names the field. It does not
// validate.
func ParseConfig(data []byte) (Config, error) { return config.ParseConfig(data) }

// Kinds lists the fault kinds by name.
func Kinds() []string { return config.Kinds() }

// ClientOf derives from journal records, in any order, how the client under
// test treated the server.
func ClientOf(rows []Record) ClientFacts { return journal.ClientOf(rows) }
