package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"time"
)

// signDingTalk adds what DingTalk asks for to the address of a robot: the time in
// milliseconds, and HMAC-SHA256 of it, a line end and the secret, keyed with the
// secret.
func signDingTalk(address, secret string, at time.Time) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	timestamp := strconv.FormatInt(at.UnixMilli(), 10)
	q := u.Query()
	q.Set("timestamp", timestamp)
	q.Set("sign", base64.StdEncoding.EncodeToString(mac(secret, timestamp+"\n"+secret)))
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// signFeishu is what Feishu asks for beside a message: the time in seconds, and
// HMAC-SHA256 of nothing, keyed with the time, a line end and the secret.
func signFeishu(secret string, at time.Time) (timestamp, sign string) {
	timestamp = strconv.FormatInt(at.Unix(), 10)
	return timestamp, base64.StdEncoding.EncodeToString(mac(timestamp+"\n"+secret, ""))
}

// signWebhook is HMAC-SHA256 of the time in seconds, a dot and the body, keyed with
// the secret.
func signWebhook(secret, timestamp string, body []byte) string {
	return "sha256=" + hex.EncodeToString(mac(secret, timestamp+"."+string(body)))
}

func mac(key, message string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(message)) // it never fails
	return h.Sum(nil)
}
