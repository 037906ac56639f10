package derive

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// role is what a value of a request is for.
type role uint8

const (
	roleOther role = iota
	roleText
	roleDialog
	roleUser
	roleTurn
	roleSecret
	roleClock
)

// Names that chat servers give to fields, by role, without case, - and _; for texts the
// better come first.
var (
	textNames   = []string{"text", "query", "question", "message", "msg", "prompt", "content", "input", "userinput", "usermessage", "utterance", "chatinput", "say", "q", "ask", "keyword", "body"}
	dialogNames = []string{"sessionid", "conversationid", "dialogid", "dialogueid", "chatid", "threadid", "session", "conversation", "sid", "cid", "convid", "talkid", "conversationuuid", "sessionkey", "dialog", "thread"}
	userNames   = []string{"userid", "uid", "user", "openid", "unionid", "memberid", "customerid", "sender", "senderid", "from", "fromuser", "accountid", "visitorid", "guestid", "buyerid", "username"}
	turnNames   = []string{"messageid", "msgid", "requestid", "reqid", "nonce", "uuid", "clientmsgid", "turnid", "idempotencykey", "localid", "seqid"}
	clockNames  = []string{"timestamp", "ts", "time", "sendtime", "datetime", "sentat", "t"}
	secretParts = []string{"password", "passwd", "pwd", "secret", "token", "apikey", "accesskey", "authorization", "signature", "captcha", "credential", "csrf", "xsrf", "auth", "jwt", "smscode", "verifycode"}
	answerNames = []string{"answer", "reply", "response", "replytext", "answertext", "text", "content", "message", "output", "outputtext", "result", "say", "speech", "msg", "data"}
)

// plainName is a name without what people put between its words.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r == ' ' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

func isSecretName(name string) bool {
	plain := plainName(name)
	return slices.ContainsFunc(secretParts, func(part string) bool { return strings.Contains(plain, part) }) || plain == "key" || plain == "sign"
}

// roleOf is what a name alone says. Numbers are no texts.
func roleOf(name string, text bool) role {
	plain := plainName(name)
	switch {
	case slices.Contains(dialogNames, plain):
		return roleDialog
	case slices.Contains(userNames, plain):
		return roleUser
	case slices.Contains(turnNames, plain):
		return roleTurn
	case isSecretName(name):
		return roleSecret
	case slices.Contains(clockNames, plain):
		return roleClock
	case text && slices.Contains(textNames, plain):
		return roleText
	}
	return roleOther
}

// isSpeech tells whether a text looks like one that people say: it has Han letters, or
// words with spaces between.
func isSpeech(s string) bool {
	letters := 0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Han, r), unicode.Is(unicode.Hiragana, r), unicode.Is(unicode.Katakana, r), unicode.Is(unicode.Hangul, r):
			return true
		case unicode.IsLetter(r):
			letters++
		}
	}
	return letters > 1 && strings.Contains(strings.TrimSpace(s), " ") && utf8.ValidString(s)
}

// rank is the place of a name among others, len(names) where it is none of them.
func rank(names []string, name string) int {
	if i := slices.Index(names, plainName(name)); i >= 0 {
		return i
	}
	return len(names)
}
