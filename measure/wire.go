package measure

// AppendBinary appends the snapshot in the compact form of the journal, for a
// process that adds it up elsewhere. It never errs; it is encoding.BinaryAppender.
func (s *Snapshot) AppendBinary(b []byte) ([]byte, error) { return appendSnapshot(b, s), nil }

// DecodeSnapshot reads what AppendBinary wrote, against the plan it was recorded
// with. Damaged bytes are an error, never a panic.
func DecodeSnapshot(b []byte, plan *Plan) (*Snapshot, error) { return decodeSnapshot(b, plan) }
