package scenario

import (
	"reflect"
	"slices"
)

// The words of the closed sets that readers of a Scenario switch on.
const (
	APIReference = "reference"
	APIArticle   = "article"
	APIOpenAI    = "openai"
	APICustom    = "custom"

	ModeSync      = "sync"
	ModeStream    = "stream"
	ModeAsync     = "async"
	ModeWebSocket = "websocket"

	AllQueues = "*" // of target.agents.queues: whatever the queue

	HTTP1 = "1.1"
	HTTP2 = "2"
	H2C   = "h2c"

	PerUser         = "per-user"
	PerConversation = "per-conversation"
	PerTurn         = "per-turn"
	Shared          = "shared"

	ArrivalsPoisson  = "poisson"
	ArrivalsConstant = "constant"

	OnErrorContinue = "continue"
	OnErrorRetry    = "retry"
	OnErrorAbort    = "abort"

	PickUnique     = "unique"
	PickRandom     = "random"
	PickSequential = "sequential"

	On  = "on"
	Off = "off"

	PolicyBad      = "bad"
	PolicyExclude  = "exclude"
	PolicyContract = "contract"

	GateInference = "inference"
	GateMeasured  = "measured"
)

// The kinds of objectives; see Objective.
const (
	KindLatency         = "latency"
	KindAvailability    = "availability"
	KindSeconds         = "seconds"
	KindFullQuality     = "full_quality"
	KindExpected        = "expected"
	KindContext         = "context"
	KindIntegrity       = "integrity"
	KindPlanted         = "planted"
	KindRecoveryLatency = "recovery_latency"
	KindRecoveryQuality = "recovery_quality"
	KindFirstToken      = "first_token"
	KindChunkGap        = "chunk_gap"
	KindCallsPerTurn    = "calls_per_turn"
	KindConversations   = "conversations"
)

// ObjectiveKinds lists the kinds of objectives.
func ObjectiveKinds() []string {
	return []string{KindLatency, KindAvailability, KindSeconds, KindFullQuality, KindExpected, KindContext, KindIntegrity, KindPlanted,
		KindRecoveryLatency, KindRecoveryQuality, KindFirstToken, KindChunkGap, KindCallsPerTurn, KindConversations}
}

// FaultKinds lists what the mock LLM can do wrong.
func FaultKinds() []string {
	return []string{"status", "slow", "hang", "reset", "truncate", "garbage", "html", "wrong-content-type",
		"empty", "oversized", "drip", "error-in-stream", "leak", "escape", "fail-first"}
}

// Profiles lists the profiles of the bundled server, the default first.
func Profiles() []string {
	return []string{"hardened", "article-0", "article-1", "article-2", "article-3"}
}

// Tiers lists the qualities an answer may be served at, best first.
func Tiers() []string { return []string{"llm", "faq", "handoff", "static"} }

// Percentiles lists the keys of sla.latency.
func Percentiles() []string { return []string{"p50", "p90", "p95", "p99", "p99.9"} }

// wordsOf gives the closed set of a field of a type, nil where any text goes.
func wordsOf(t reflect.Type, field string) []string {
	switch t {
	case reflect.TypeFor[Target]():
		switch field {
		case "api":
			return []string{APIReference, APIArticle, APIOpenAI, APICustom}
		case "http":
			return []string{HTTP1, HTTP2, H2C}
		case "mode":
			return []string{ModeSync, ModeStream, ModeAsync, ModeWebSocket}
		case "connections":
			return []string{PerUser, PerConversation, PerTurn, Shared}
		}
	case reflect.TypeFor[Bundled]():
		if field == "profile" {
			return Profiles()
		}
	case reflect.TypeFor[Fault]():
		if field == "kind" {
			return FaultKinds()
		}
	case reflect.TypeFor[Load]():
		if field == "arrivals" {
			return []string{ArrivalsPoisson, ArrivalsConstant}
		}
	case reflect.TypeFor[Conversation]():
		if field == "on_error" {
			return []string{OnErrorContinue, OnErrorRetry, OnErrorAbort}
		}
	case reflect.TypeFor[Data]():
		if field == "pick" {
			return []string{PickUnique, PickRandom, PickSequential}
		}
	case reflect.TypeFor[Checks]():
		if field == "memory" {
			return []string{On, Off}
		}
	case reflect.TypeFor[RateLimited]():
		if field == "policy" {
			return []string{PolicyBad, PolicyExclude, PolicyContract}
		}
	case reflect.TypeFor[SLA]():
		if field == "gate" {
			return []string{GateInference, GateMeasured}
		}
	case reflect.TypeFor[Objective]():
		switch field {
		case "kind":
			return ObjectiveKinds()
		case "tier_at_most":
			return Tiers()
		}
	case reflect.TypeFor[Request](), reflect.TypeFor[Login]():
		if field == "method" {
			return []string{"GET", "POST", "PUT", "PATCH"}
		}
	}
	return nil
}

// isWord tells whether text belongs to the closed set of a field.
func isWord(words []string, text string) bool { return slices.Contains(words, text) }
