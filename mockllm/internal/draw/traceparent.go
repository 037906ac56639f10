package draw

// ParseTraceparent reads the trace id of a W3C traceparent header. Anything
// malformed, upper-case or all-zero is no trace id.
func ParseTraceparent(h []byte) (Key, bool) {
	var k Key
	if len(h) < 55 || h[2] != '-' || h[35] != '-' || h[52] != '-' {
		return k, false
	}
	if len(h) > 55 && (h[0] == '0' && h[1] == '0' || h[55] != '-') {
		return k, false
	}
	var version [1]byte
	if !hexInto(version[:], h[0:2]) || version[0] == 0xff {
		return k, false
	}
	var parent [8]byte
	var flags [1]byte
	if !hexInto(k[:], h[3:35]) || !hexInto(parent[:], h[36:52]) || !hexInto(flags[:], h[53:55]) {
		return Key{}, false
	}
	if k == (Key{}) || parent == ([8]byte{}) {
		return Key{}, false
	}
	return k, true
}

// hexInto decodes lower-case hexadecimal, as the traceparent grammar demands.
func hexInto(dst, src []byte) bool {
	for i := range dst {
		hi, ok1 := hexDigit(src[2*i])
		lo, ok2 := hexDigit(src[2*i+1])
		if !ok1 || !ok2 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}
