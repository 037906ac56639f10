package chat

import (
	"time"

	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/model"
)

// Longest is a time in which a turn has ended, one that nobody waits for as well: it has
// waited for another turn of its dialog, then for the model, with every attempt and pause
// that the knobs allow, or for a stream, then for Redis.
func Longest(s *knobs.Settings) time.Duration {
	var asked time.Duration
	for n := range max(1, int(s.LLMAttempts)) {
		pause := time.Duration(n+1) * s.LLMBackoffBase.D()
		asked += s.LLMTimeout.D() + max(pause, model.LongestRetryAfter)
	}
	if until := max(s.ChatDeadline.D(), s.ChatDegradeAt.D()); until > 0 {
		asked = until
	}
	return jobBusy + max(asked, streamTotal) + 10*s.RedisTimeout.D()
}
