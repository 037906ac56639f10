package driver

import (
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
)

// Driver is one target, ready to be talked to. It is safe for concurrent use.
//
// Whatever the wire, every driver keeps to these rules:
//
//   - One turn is one request, sent once, and the steps that the target says follow
//     it, each sent once; its answer is that of the last. A connection that dies
//     under it costs the turn (Broken); nothing is retried, redirects are not followed,
//     proxies in the environment are ignored, and cookies where the target does not
//     say otherwise; where it does, they are the user's and of one origin. Only a job
//     is asked after again. A turn that is refused because the user's login has run
//     out (401, or again_on) is sent once more behind a new one. A turn of api openai
//     whose model calls functions is as many requests as it takes until the model
//     answers the user, at most as many as the target says; the answer is that of the last.
//     A request of which an HTTP/2 server says that it has not begun with it
//     (GOAWAY, REFUSED_STREAM) goes over another stream or connection, at most
//     eight times: it happens once. Traffic counts it.
//   - A kept connection is looked at before it carries another turn: what the
//     server has closed by then is replaced, because nothing was sent on it.
//   - Begun ≤ Sent ≤ FirstByte ≤ Done, and FirstToken between the last two. They
//     are taken at the socket: Sent before the write, the others after the read
//     that brought what they name. Waiting for a shared connection lies between
//     Begun and Sent. Connect is what of it a new connection took, over HTTP/2
//     with the server's settings, which it must have sent before it is used.
//   - A login, where the user needs one, and the steps before a conversation come
//     between Begun and Sent, so that they are not taken for lag; Login says how long
//     they took, and the turn's timeout begins anew behind them. One that is refused
//     is the answer to the turn, and Step says so.
//   - A whole answer of any status is Complete. From 300 on its body may be
//     anything; below, it is one valid JSON document with a string at the place of
//     the answer, or a stream that came to its terminal event.
//   - The target's timeout counts from Begun (or the login) over everything; limits.stall is the
//     longest silence once an answer has begun. Both are TimedOut, and so is a turn
//     whose user leaves before: Left says that, and nothing is sent for who has left.
//   - The target's limits hold for what is kept in memory: of headers, of a line,
//     of a body before and after decompression. Beyond them is Oversized, and the
//     connection ends.
//   - In mode agents the question goes out as in mode sync, and Done is when
//     an agent's socket was read that showed its ticket, or when the answer came,
//     whichever is later, by this process's own clock: `asked_at` is another
//     machine's. All else is that of the answer. The turn then goes on until the
//     first two agents who are shown the ticket have claimed it, one of them has
//     won and replied, and the server has confirmed that. For this it has the
//     timeout anew, and it only decides whether the turn is good; a turn that is
//     not is done when that is known. No ticket in the answer, no winner, two
//     winners or a refused reply are Malformed; a socket that dies while it has
//     the ticket, or the last of all, is Broken. Where no agent's socket can be
//     opened nothing is sent: Unreachable.
//   - In mode websocket a turn is a message over the channel's own socket, which the first
//     turn that needs it opens, with what it begins with; Connect is how long that took.
//     A refused upgrade is the answer to the turn, whole and of its status; else the
//     status is 101. FirstByte is when the first message came that was the answer or a
//     piece of it, Done when the last did. A message that names another turn of the channel
//     is never taken for the answer, and is counted in Traffic; where messages name none
//     a turn without a whole answer closes the socket. One that is closed when a turn
//     begins is opened anew: nothing was sent on it. Between turns sockets are read, and
//     their pings answered, with no goroutine and no buffer of their own.
//   - Agents' sockets are open all along, for all turns; each is dialled again when
//     it dies, a little later each time. Tickets that are no turn's are left alone.
//   - Credentials go to the target only, also when a job is said to be elsewhere.
//   - Message says the same for the same cause: no addresses, ports or ids.
//   - Between two turns a channel holds a connection and no buffer.
type Driver interface {
	// Open gives the channel of one conversation, or of a user who has several one
	// after the other on a connection that is per-user. It does no I/O:
	// connections are made by the first turn that needs one.
	Open(user *User) Channel
	// Prepare opens n connections beforehand where the policy is shared, no more
	// than the pool holds, and all agents' sockets whatever the policy. It gives
	// the last error of those that could not be.
	Prepare(n int) error
	// Interrupt makes every Do in flight return soon with Reason Interrupted, and
	// every later one at once.
	Interrupt()
	// Connections tells how many are open, agents' sockets included.
	Connections() int
	// Traffic tells what went to the target so far.
	Traffic() Traffic
	// Close closes every connection.
	Close() error
}

// Channel carries one conversation's turns, one after the other. It is not safe
// for concurrent use. Between two turns it keeps no buffers.
type Channel interface {
	// Do sends turn and fills reply, which it resets first. It returns when the
	// turn is over: answered, failed, timed out or interrupted. The byte slices
	// in reply are valid until Free.
	Do(turn *Turn, reply *Reply)
	// Free gives the buffers behind reply back; call it after every Do.
	Free(reply *Reply)
	// Close gives the connection up, or back to where it is shared.
	Close()
}

// Traffic is what went to a target, counted.
type Traffic struct {
	// Resent is how often a request went over another stream or connection because
	// the server said that it had not begun with it.
	Resent int64
	// FullHandshakes and ResumedHandshakes are those of TLS. A user resumes the session
	// of an own connection before, as browsers do.
	FullHandshakes, ResumedHandshakes int64
	// SocketsOpened are those of mode websocket, SocketsReopened those among them whose
	// channel had one before that was closed.
	SocketsOpened, SocketsReopened int64
	// SocketsRedialled are of these the ones that were opened while their customer thought,
	// RedialsFailed such attempts that failed; RedialTotal and RedialLongest is what the
	// former took, which is no turn's time.
	SocketsRedialled, RedialsFailed int64
	RedialTotal, RedialLongest      time.Duration
	// LateAnswers came when their turn was over without one, RepeatedAnswers when it had
	// one; Unsolicited are other messages that no turn waited for.
	LateAnswers, RepeatedAnswers, Unsolicited int64
	// Addresses are those that connections led to, in their order.
	Addresses []AddressTurns
}

// AddressTurns is how many turns were asked of one of the target's addresses last,
// and how many of them got no whole answer of a good status.
type AddressTurns struct {
	Address       string
	Turns, Failed int64
}

// User is who talks. Vars holds the values of templates that do not change from
// turn to turn: "user.id", "user.index", and data columns as "orders.phone".
//
// The driver keeps on the user what outlives a conversation, its login and its
// signed token. A user takes part in one conversation at a time.
type User struct {
	ID    string
	Index int64
	Vars  map[string]string

	state userState
}

// Turn is what to send. The driver only reads it.
type Turn struct {
	Text     []byte // the whole text of the user, canary and all
	DialogID []byte // empty before the server named one
	// ConversationID is ${conversation.id}, whatever the server calls the dialog.
	ConversationID []byte
	TurnID         []byte // an idempotency key of the scenario's, may be empty
	Index          int    // from 0
	// Number is that of the conversation: what its steps saved is forgotten with the
	// first turn of another.
	Number int64
	// As is another user, whom the turn goes out as; nil: the channel's own.
	As *User
	// Forge is what it is sent with in the place of its user's own; nil: nothing is.
	Forge *Forge
	// Parts follow Text in the message, of api openai.
	Parts []Part
	// History is the dialog so far, for APIs where the client keeps it: user and
	// assistant by turns, oldest first, without Text.
	History []Message
	// Leave is when the user leaves who has no answer by then, an offset from
	// Options.Base; 0: never. What a login takes comes on top.
	Leave time.Duration
	// TraceID and SpanID go out as a W3C traceparent.
	TraceID [16]byte
	SpanID  [8]byte
}

// Message is one of the dialog's.
type Message struct {
	Assistant bool
	Text      []byte
	// Of a message of the user: its Parts, and the Between of its answer.
	Parts   []Part
	Between []byte
}

// Part is a further text of a message, or the address of an image.
type Part struct {
	Text   []byte
	Image  bool
	Detail string // of an image: auto, low, high; empty: nothing is said
}

// Reply is what came back. Times are offsets from Options.Base, zero where the
// turn did not get that far.
type Reply struct {
	Status   int    // HTTP status, 0 without an answer
	Reason   Reason // why there is no whole answer; Complete when there is
	Message  string // for Reason: short, without what differs from turn to turn
	DialogID []byte
	Answer   []byte
	Tier     []byte // as the target's map says; the server's own word where that has none for it
	Group    []byte // the server's word for the group of users that this one is in; empty: none
	Code     []byte // the `code` of a problem or error body
	Finish   []byte // finish_reason of api openai; of form responses in its words
	Missing  Places // what target.response names and the answer does not have
	// Unmapped: Tier is a word of the server's that the target's map does not have.
	Unmapped bool
	// Cookie: the answer sets a cookie, which is never sent back.
	Cookie bool
	// Closed is the code with which the server closed the socket of the turn, 0 where it
	// did not or said none.
	Closed int
	// Denied: response.error is named and holds of the answer; Reason is Malformed.
	Denied bool
	// Left: the user left before the whole answer had come; Reason is TimedOut.
	Left bool
	// OK is false when response.ok is named and was not seen to be true, in a stream by
	// no event, or by one to be anything else. Degraded when the server said so.
	OK       bool
	Degraded bool
	// Cached: the answer did not come from the model just now (source cache).
	Cached bool
	// ContextTurns is how many user messages the server says it put before the model; -1 unknown.
	ContextTurns int
	// ContextStatus is the server's word on the dialog's state, may be empty.
	ContextStatus []byte
	TurnID        []byte // the turn the server says it answered, may be empty
	TraceID       []byte // the trace the server says it answered, may be empty
	// Usage is what the turn cost the model, as its answers tell.
	Usage Usage
	// Between is what was said between the user and the answer, as JSON items with
	// commas: the functions that the model called, and what they answered.
	Between []byte
	// ServerTiming is the answer's header of that name, several joined by commas, cut
	// after 512 bytes; empty where it has none.
	ServerTiming []byte
	Body         []byte // the raw body, for `cstest try` and error evidence
	// Passed is how many messages, events or answers to polls came and were not what the
	// turn waited for when it ended without; Body is then the begin of one of them.
	Passed int

	// Said is what an error of the answer says, as the target's response tells where
	// that stands: "40101 登录已过期". Step names the login or the step whose answer
	// this is, empty where it is the turn's own.
	Said string
	Step string
	// LoggedIn: the user logged in before this turn; Renewed: because it was refused, an
	// earlier login having run out.
	LoggedIn, Renewed bool

	Begun      time.Duration // when the driver had what it needed and began to connect or write
	Sent       time.Duration // first byte of the request written
	Connect    time.Duration // how long DNS, connect and TLS took for this turn, 0 on a kept connection
	Login      time.Duration // how long the user's login and what the conversation begins with took, 0 without
	FirstByte  time.Duration
	FirstToken time.Duration
	// FirstReasoning is when the first of the model's reasoning came, which is no part
	// of the answer; 0 where there was none.
	FirstReasoning time.Duration
	Done           time.Duration
	Over           time.Duration   // when Do had no more to do with the turn; Done, or later where agents deal with it
	Gaps           []time.Duration // between the contents of a stream

	buffer any // what Free gives back
}

// Places are those of target.response.
type Places uint8

// The places that a whole answer may do without and still be read.
const (
	PlaceOK Places = 1 << iota
	PlaceDialogID
	PlaceTier
	PlaceDegraded
	PlaceContextTurns
)

// Has tells whether one of want is among them.
func (p Places) Has(want Places) bool { return p&want != 0 }

// Reason is why a turn has no whole answer.
type Reason = wire.Reason

// The reasons. A status of 400 or more is not one of them: the answer is whole.
const (
	Complete    = wire.Complete
	Unreachable = wire.Unreachable // DNS, connect, TLS
	Broken      = wire.Broken      // reset, EOF, a protocol error
	TimedOut    = wire.TimedOut    // the client's deadline, or a stall
	Truncated   = wire.Truncated   // a stream without its terminal event
	Malformed   = wire.Malformed   // invalid JSON, no answer in it, an error event
	Oversized   = wire.Oversized   // beyond the target's limits
	Interrupted = wire.Interrupted // by Interrupt
	Exhausted   = wire.Exhausted   // our own fault: descriptors, ports
)

// Options are what a driver needs besides the target.
type Options struct {
	Base time.Time // t = 0 of the times in replies; monotonic
	// RunID is ${run.id}.
	RunID string
	// Secrets gives the value behind ${env:…} and ${file:…}.
	Secrets func(name string) (string, error)
	// Upload gives a file that a multipart body sends.
	Upload func(path string) ([]byte, error)
	// Dir is the folder that relative paths of certificates are taken from.
	Dir string
	// Forged are the headers, in lower case, that some turns have forged.
	Forged []string
	// Capture is given every request as sent and its answer with its body decoded (over
	// HTTP/2 both as a person reads them), for one conversation shown to a person: the login,
	// the turn, each poll of a job; the one that the reply is of comes last. Behind the answer stands what was said of its
	// ticket over the agents' sockets. The slices are valid during the call.
	Capture func(request, response []byte)
	// Sources is how many loopback addresses connections to a loopback target
	// come from once OwnAddress of them have come from the usual one, 28,000 ports
	// each; up to 1 leaves the choice to the system. See SourcesFor.
	Sources, OwnAddress int

	saved savedNames // of the target, for its templates
	pings savedNames // what is kept of an application's ping
}

// PerAddress is how many connections one loopback address bears. Linux tries the
// ports of one parity first, 14,000 of them: near that every connect walks
// through most, at 100 µs and more.
const PerAddress = 10_000

// SourcesFor gives how many loopback addresses a number of connections should come from.
func SourcesFor(connections int) int { return 1 + connections/PerAddress }
