package scenario

import "reflect"

// wordsOf gives the closed set that a type is: a text of which only some values
// have a meaning, told by its method words. It is nil for any other. The decoder,
// the JSON Schema and the reference page take them from here.
func wordsOf(t reflect.Type) []string {
	if set, ok := reflect.TypeAssert[interface{ words() []string }](reflect.Zero(t)); ok {
		return set.words()
	}
	return nil
}

func texts[T ~string](values ...T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}

// AllQueues in target.agents.queues is whatever the queue.
const AllQueues = "*"

// Percentiles lists the keys of sla.latency.
func Percentiles() []string { return []string{"p50", "p90", "p95", "p99", "p99.9"} }

// API is the wire format that a target speaks.
type API string

// The values of API.
const (
	APIReference API = "reference"
	APIArticle   API = "article"
	APIOpenAI    API = "openai"
	APICustom    API = "custom"
)

func (API) words() []string { return texts(APIReference, APIArticle, APIOpenAI, APICustom) }

// OpenAIForm is which of OpenAI's APIs is spoken.
type OpenAIForm string

// The values of OpenAIForm.
const (
	FormChat      OpenAIForm = "chat"
	FormResponses OpenAIForm = "responses"
)

func (OpenAIForm) words() []string { return texts(FormChat, FormResponses) }

// HistoryKeeper says who keeps the dialog of form responses.
type HistoryKeeper string

// The values of HistoryKeeper.
const (
	HistoryServer HistoryKeeper = "server"
	HistoryClient HistoryKeeper = "client"
)

func (HistoryKeeper) words() []string { return texts(HistoryServer, HistoryClient) }

// ImageDetail is how closely the model looks at an image.
type ImageDetail string

// The values of ImageDetail.
const (
	DetailAuto ImageDetail = "auto"
	DetailLow  ImageDetail = "low"
	DetailHigh ImageDetail = "high"
)

func (ImageDetail) words() []string { return texts(DetailAuto, DetailLow, DetailHigh) }

// Mode is how an answer comes back.
type Mode string

// The values of Mode.
const (
	ModeSync      Mode = "sync"
	ModeStream    Mode = "stream"
	ModeAsync     Mode = "async"
	ModeWebSocket Mode = "websocket"
	ModeAgents    Mode = "agents"
)

func (Mode) words() []string {
	return texts(ModeSync, ModeStream, ModeAsync, ModeWebSocket, ModeAgents)
}

// Speech is what is spoken on a WebSocket.
type Speech string

// The values of Speech.
const (
	PlainMessages Speech = "websocket"
	SocketIO      Speech = "socket.io"
)

func (Speech) words() []string { return texts(PlainMessages, SocketIO) }

// Cookies says who keeps the cookies that the target sets.
type Cookies string

// The values of Cookies.
const (
	CookiesOff     Cookies = "off"
	CookiesPerUser Cookies = "per-user"
)

func (Cookies) words() []string { return texts(CookiesOff, CookiesPerUser) }

// BodyKind is how a request's body is sent.
type BodyKind string

// The values of BodyKind.
const (
	AsJSON      BodyKind = "json"
	AsForm      BodyKind = "form"
	AsMultipart BodyKind = "multipart"
	AsText      BodyKind = "text"
	AsXML       BodyKind = "xml"
)

func (BodyKind) words() []string { return texts(AsJSON, AsForm, AsMultipart, AsText, AsXML) }

// AnswerFormat is how the JSON of an answer is wrapped.
type AnswerFormat string

// The values of AnswerFormat.
const (
	FormatJSON  AnswerFormat = "json"
	FormatJSONP AnswerFormat = "jsonp"
)

func (AnswerFormat) words() []string { return texts(FormatJSON, FormatJSONP) }

// StreamFormat is how the events of a stream are told apart.
type StreamFormat string

// The values of StreamFormat.
const (
	StreamSSE    StreamFormat = "sse"
	StreamNDJSON StreamFormat = "ndjson"
	StreamText   StreamFormat = "text"
)

func (StreamFormat) words() []string { return texts(StreamSSE, StreamNDJSON, StreamText) }

// HTTPVersion is the protocol below an API. H2C is HTTP/2 without TLS.
type HTTPVersion string

// The values of HTTPVersion.
const (
	HTTP1 HTTPVersion = "1.1"
	HTTP2 HTTPVersion = "2"
	H2C   HTTPVersion = "h2c"
)

func (HTTPVersion) words() []string { return texts(HTTP1, HTTP2, H2C) }

// Connections says who shares a connection to the target.
type Connections string

// The values of Connections.
const (
	PerUser         Connections = "per-user"
	PerConversation Connections = "per-conversation"
	PerTurn         Connections = "per-turn"
	Shared          Connections = "shared"
)

func (Connections) words() []string { return texts(PerUser, PerConversation, PerTurn, Shared) }

// Addresses says to which addresses of a name connections go.
type Addresses string

// The values of Addresses.
const (
	RotateAddresses Addresses = "rotate"
	FirstAddress    Addresses = "first"
)

func (Addresses) words() []string { return texts(RotateAddresses, FirstAddress) }

// Sources says whether connections to a loopback target may come from several
// loopback addresses.
type Sources string

// The values of Sources.
const (
	SourcesAuto Sources = "auto"
	SourcesOff  Sources = "off"
)

func (Sources) words() []string { return texts(SourcesAuto, SourcesOff) }

// Arrivals says how starts are spread within a stage's rate.
type Arrivals string

// The values of Arrivals.
const (
	ArrivalsPoisson  Arrivals = "poisson"
	ArrivalsConstant Arrivals = "constant"
	ArrivalsGamma    Arrivals = "gamma"
)

func (Arrivals) words() []string { return texts(ArrivalsPoisson, ArrivalsConstant, ArrivalsGamma) }

// OnError says how a conversation goes on after a bad turn.
type OnError string

// The values of OnError.
const (
	OnErrorContinue OnError = "continue"
	OnErrorRetry    OnError = "retry"
	OnErrorAbort    OnError = "abort"
)

func (OnError) words() []string { return texts(OnErrorContinue, OnErrorRetry, OnErrorAbort) }

// Pick says in which order conversations draw the rows of a table.
type Pick string

// The values of Pick.
const (
	PickUnique     Pick = "unique"
	PickRandom     Pick = "random"
	PickSequential Pick = "sequential"
)

func (Pick) words() []string { return texts(PickUnique, PickRandom, PickSequential) }

// Switch turns a check on or off.
type Switch string

// The values of Switch.
const (
	On  Switch = "on"
	Off Switch = "off"
)

func (Switch) words() []string { return texts(On, Off) }

// Policy says what a 429 counts as.
type Policy string

// The values of Policy.
const (
	PolicyBad      Policy = "bad"
	PolicyExclude  Policy = "exclude"
	PolicyContract Policy = "contract"
)

func (Policy) words() []string { return texts(PolicyBad, PolicyExclude, PolicyContract) }

// Gate says what decides the exit status: the inference, or the sample alone.
type Gate string

// The values of Gate.
const (
	GateInference Gate = "inference"
	GateMeasured  Gate = "measured"
)

func (Gate) words() []string { return texts(GateInference, GateMeasured) }

// Profile names a set of the bundled server's knobs: hardened, or a stage of the
// article's tuning story.
type Profile string

// The values of Profile.
const (
	Hardened Profile = "hardened"
	Article0 Profile = "article-0"
	Article1 Profile = "article-1"
	Article2 Profile = "article-2"
	Article3 Profile = "article-3"
)

func (Profile) words() []string { return texts(Hardened, Article0, Article1, Article2, Article3) }

// Tier is the quality at which an answer is served, best first.
type Tier string

// The values of Tier.
const (
	TierLLM     Tier = "llm"
	TierFAQ     Tier = "faq"
	TierHandoff Tier = "handoff"
	TierStatic  Tier = "static"
)

func (Tier) words() []string { return texts(TierLLM, TierFAQ, TierHandoff, TierStatic) }

// Method is an HTTP method of a request template.
type Method string

// The values of Method.
const (
	MethodGet   Method = "GET"
	MethodPost  Method = "POST"
	MethodPut   Method = "PUT"
	MethodPatch Method = "PATCH"
)

func (Method) words() []string { return texts(MethodGet, MethodPost, MethodPut, MethodPatch) }

// FaultKind is what goes wrong in the mock LLM; see mockllm for what each does.
type FaultKind string

// The values of FaultKind.
const (
	FaultStatus           FaultKind = "status"
	FaultSlow             FaultKind = "slow"
	FaultHang             FaultKind = "hang"
	FaultReset            FaultKind = "reset"
	FaultTruncate         FaultKind = "truncate"
	FaultGarbage          FaultKind = "garbage"
	FaultHTML             FaultKind = "html"
	FaultWrongContentType FaultKind = "wrong-content-type"
	FaultEmpty            FaultKind = "empty"
	FaultOversized        FaultKind = "oversized"
	FaultDrip             FaultKind = "drip"
	FaultErrorInStream    FaultKind = "error-in-stream"
	FaultLeak             FaultKind = "leak"
	FaultEscape           FaultKind = "escape"
	FaultFailFirst        FaultKind = "fail-first"
)

func (FaultKind) words() []string {
	return texts(FaultStatus, FaultSlow, FaultHang, FaultReset, FaultTruncate, FaultGarbage, FaultHTML, FaultWrongContentType,
		FaultEmpty, FaultOversized, FaultDrip, FaultErrorInStream, FaultLeak, FaultEscape, FaultFailFirst)
}

// ForgedToken is what is wrong with the token that a turn is sent with.
type ForgedToken string

// The values of ForgedToken.
const (
	TokenMissing     ForgedToken = "missing"
	TokenExpired     ForgedToken = "expired"
	TokenTampered    ForgedToken = "tampered"
	TokenAnotherUser ForgedToken = "another_user"
)

func (ForgedToken) words() []string {
	return texts(TokenMissing, TokenExpired, TokenTampered, TokenAnotherUser)
}

// ObjectiveKind is what an objective judges; see Objective.
type ObjectiveKind string

// The values of ObjectiveKind.
const (
	KindLatency         ObjectiveKind = "latency"
	KindAvailability    ObjectiveKind = "availability"
	KindSeconds         ObjectiveKind = "seconds"
	KindFullQuality     ObjectiveKind = "full_quality"
	KindExpected        ObjectiveKind = "expected"
	KindContext         ObjectiveKind = "context"
	KindIntegrity       ObjectiveKind = "integrity"
	KindPlanted         ObjectiveKind = "planted"
	KindRefused         ObjectiveKind = "refused"
	KindRecoveryLatency ObjectiveKind = "recovery_latency"
	KindRecoveryQuality ObjectiveKind = "recovery_quality"
	KindFirstToken      ObjectiveKind = "first_token"
	KindFirstReasoning  ObjectiveKind = "first_reasoning"
	KindChunkGap        ObjectiveKind = "chunk_gap"
	KindCallsPerTurn    ObjectiveKind = "calls_per_turn"
	KindConversations   ObjectiveKind = "conversations"
	KindObserved        ObjectiveKind = "observed"
	KindAbandoned       ObjectiveKind = "abandoned"
	KindClient          ObjectiveKind = "client"
)

func (ObjectiveKind) words() []string {
	return texts(KindLatency, KindAvailability, KindSeconds, KindFullQuality, KindExpected, KindContext, KindIntegrity, KindPlanted, KindRefused,
		KindRecoveryLatency, KindRecoveryQuality, KindFirstToken, KindFirstReasoning, KindChunkGap, KindCallsPerTurn, KindConversations, KindAbandoned, KindObserved, KindClient)
}

// ClientFinding is something that a target does to the model.
type ClientFinding string

// The values of ClientFinding.
const (
	ClientCallsPerTurn ClientFinding = "calls_per_turn"
	ClientRetryAfter   ClientFinding = "retry_after"
	ClientRetries4xx   ClientFinding = "retries_after_4xx"
	ClientAfterLeft    ClientFinding = "after_user_left"
	ClientBroken       ClientFinding = "broken_passed_on"
	ClientBackoff      ClientFinding = "backoff"
	ClientInFlight     ClientFinding = "in_flight"
)

// ClientFindings are all of them, in the order of reports.
func ClientFindings() []ClientFinding {
	return []ClientFinding{ClientCallsPerTurn, ClientRetryAfter, ClientRetries4xx, ClientAfterLeft, ClientBroken, ClientBackoff, ClientInFlight}
}

func (ClientFinding) words() []string { return texts(ClientFindings()...) }

// Receiver is what kind of service takes a Notice.
type Receiver string

// The values of Receiver.
const (
	DingTalk Receiver = "dingtalk"
	Feishu   Receiver = "feishu"
	WeCom    Receiver = "wecom"
	Slack    Receiver = "slack"
	Webhook  Receiver = "webhook"
)

func (Receiver) words() []string { return texts(DingTalk, Feishu, WeCom, Slack, Webhook) }

// NoticeWhen is a verdict that is told of.
type NoticeWhen string

// The values of NoticeWhen.
const (
	OnPass         NoticeWhen = "pass"
	OnFail         NoticeWhen = "fail"
	OnInconclusive NoticeWhen = "inconclusive"
	OnInvalid      NoticeWhen = "invalid"
	OnIncomplete   NoticeWhen = "incomplete"
)

func (NoticeWhen) words() []string {
	return texts(OnPass, OnFail, OnInconclusive, OnInvalid, OnIncomplete)
}
