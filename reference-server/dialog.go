package refserver

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"
)

const (
	idRandom = 10 // bytes drawn
	idMAC    = 6  // bytes of HMAC-SHA-256 over them, tenant and uid
	idLen    = 2 * (idRandom + idMAC)
)

// minter makes and checks ids of dialogs, jobs and tickets: 32 lower-case hex
// digits that carry a MAC over kind, tenant and uid. Ownership is therefore
// known without asking Redis. Safe for concurrent use.
type minter struct {
	macs sync.Pool
}

func newMinter(key []byte) *minter {
	k := hmac.New(sha256.New, key)
	k.Write([]byte("cstest ids"))
	sub := k.Sum(nil)
	return &minter{macs: sync.Pool{New: func() any { return hmac.New(sha256.New, sub) }}}
}

// mint returns a new id of this kind for its owner.
func (m *minter) mint(kind byte, who identity) string {
	var b [idRandom + idMAC]byte
	rand.Read(b[:idRandom])
	m.sum(b[idRandom:], b[:idRandom], kind, who)
	var out [idLen]byte
	hex.Encode(out[:], b[:])
	return string(out[:])
}

// owns says whether id was minted for this owner. The form must have been
// checked with wellFormedID.
func (m *minter) owns(id string, kind byte, who identity) bool {
	var b [idRandom + idMAC]byte
	if len(id) != idLen {
		return false
	}
	if _, err := hex.Decode(b[:], []byte(id)); err != nil {
		return false
	}
	var want [idMAC]byte
	m.sum(want[:], b[:idRandom], kind, who)
	return hmac.Equal(want[:], b[idRandom:])
}

func (m *minter) sum(dst, random []byte, kind byte, who identity) {
	h := m.macs.Get().(hash.Hash)
	h.Reset()
	var buf [sha256.Size]byte
	msg := make([]byte, 0, 160)
	msg = append(msg, kind, byte(len(who.tenant)))
	msg = append(msg, random...)
	msg = append(msg, who.tenant...)
	msg = append(msg, who.uid...)
	h.Write(msg)
	copy(dst, h.Sum(buf[:0])[:idMAC])
	m.macs.Put(h)
}

// wellFormedID checks the form on bytes, before anything is looked up.
func wellFormedID(id string) bool {
	if len(id) != idLen {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// wellFormedTurnID checks an id chosen by the client.
func wellFormedTurnID(id string) bool {
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

// randomHex returns n random bytes in hex.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}
