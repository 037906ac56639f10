package dialog

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
)

// The kinds of ids.
const (
	IDDialog byte = 'd'
	IDJob    byte = 'j'
	IDTicket byte = 't'
)

const (
	idRandom = 10 // bytes drawn, or derived
	idMAC    = 6  // bytes of HMAC-SHA-256 over them, tenant and uid
)

// IDLen is how many hexadecimal digits an id has.
const IDLen = 2 * (idRandom + idMAC)

// Owner is the user something belongs to.
type Owner struct {
	Tenant string
	UID    string
}

// Minter makes and checks ids of dialogs, jobs and tickets: 32 lower-case hex
// digits that carry a MAC over kind, tenant and uid. Ownership is therefore
// known without asking Redis. Safe for concurrent use.
type Minter struct {
	macs  *sync.Pool // over ids
	turns *sync.Pool // over turns, of which ids are derived
}

// NewMinter derives the keys of its MACs from key, which it does not keep.
func NewMinter(key []byte) *Minter {
	return &Minter{macs: macPool(key, "cstest ids"), turns: macPool(key, "cstest turns")}
}

func macPool(key []byte, purpose string) *sync.Pool {
	k := hmac.New(sha256.New, key)
	k.Write([]byte(purpose))
	sub := k.Sum(nil)
	return &sync.Pool{New: func() any { return &mac{Hash: hmac.New(sha256.New, sub)} }}
}

// mac is a MAC with room for what goes in and comes out.
type mac struct {
	hash.Hash
	message []byte
	sum     [sha256.Size]byte
}

// Mint returns a new id of this kind for its owner.
func (m *Minter) Mint(kind byte, who Owner) string {
	var b [idRandom + idMAC]byte
	rand.Read(b[:idRandom])
	return m.seal(&b, kind, who)
}

// Derive returns the id that a turn of this owner gives: the same one whenever the
// turn is sent again, to any server with the same key.
func (m *Minter) Derive(kind byte, who Owner, turn string) string {
	var b [idRandom + idMAC]byte
	sum(m.turns, b[:idRandom], []byte(turn+"\x00"), kind, who)
	return m.seal(&b, kind, who)
}

func (m *Minter) seal(b *[idRandom + idMAC]byte, kind byte, who Owner) string {
	sum(m.macs, b[idRandom:], b[:idRandom], kind, who)
	var out [IDLen]byte
	hex.Encode(out[:], b[:])
	return string(out[:])
}

// Owns says whether id was minted for this owner. The form must have been
// checked with IsID.
func (m *Minter) Owns(id string, kind byte, who Owner) bool {
	var b [idRandom + idMAC]byte
	if len(id) != IDLen {
		return false
	}
	if _, err := hex.Decode(b[:], []byte(id)); err != nil {
		return false
	}
	var want [idMAC]byte
	sum(m.macs, want[:], b[:idRandom], kind, who)
	return hmac.Equal(want[:], b[idRandom:])
}

// sum fills dst with a MAC of one of the pools.
func sum(macs *sync.Pool, dst, of []byte, kind byte, who Owner) {
	m := macs.Get().(*mac) //nolint:forcetypeassert // this package alone puts it there
	m.Reset()
	m.message = append(m.message[:0], kind, byte(len(who.Tenant)>>8), byte(len(who.Tenant)))
	m.message = append(m.message, of...)
	m.message = append(m.message, who.Tenant...)
	m.message = append(m.message, who.UID...)
	m.Write(m.message)
	copy(dst, m.Sum(m.sum[:0]))
	macs.Put(m)
}

// IsID checks the form on bytes, before anything is looked up.
func IsID(id string) bool {
	if len(id) != IDLen {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// IsTurnID checks an id chosen by the client.
func IsTurnID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		ok := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c == '.' || c == ':'
		if !ok {
			return false
		}
	}
	return true
}

// RandomHex returns n random bytes in hex, 16 at most.
func RandomHex(n int) string {
	var drawn [16]byte
	var digits [2 * len(drawn)]byte
	rand.Read(drawn[:n])
	return string(digits[:hex.Encode(digits[:], drawn[:n])])
}
