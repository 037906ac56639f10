package chat

// Error is why a turn has no answer: a stable code.
type Error string

// Error is the code.
func (e Error) Error() string { return string(e) }

// Why a turn has no answer.
const (
	ErrNotFound Error = "not-found"         // the dialog is not the caller's
	ErrBusy     Error = "turn-in-progress"  // another turn of the dialog
	ErrReused   Error = "turn-id-reused"    // with another text
	ErrShed     Error = "shed"              // too many turns in flight
	ErrState    Error = "state-unavailable" // Redis does not answer, and the turn needs it
	ErrGone     Error = "client-closed"     // the caller left
	ErrCut      Error = "model-interrupted" // a stream's model broke off; what was said stands
)
