package mockllm

import (
	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/canary"
	"github.com/cstest/cstest/mockllm/internal/draw"
	"github.com/cstest/cstest/mockllm/internal/token"
)

const (
	plantedPhone  = "13912345678"
	plantedEscape = "\x1b]0;owned\x07\x1b[2J\x1b[31m<script>alert(1)</script><img src=x onerror=alert(1)>\u202e\r\n::error::planted\n=HYPERLINK(\"http://invalid\")\u0085"
)

// plant puts what leak and escape show into the words.
func (c *call) plant(seen []canary.Mark) []canary.Mark {
	switch c.fault.Effect {
	case config.KindLeak:
		value := c.fault.Value
		if value == "" {
			value = "收货人电话 " + plantedPhone
		}
		c.text += value
		c.length = token.Count(c.text)
		stranger := c.srv.strangers.Other(c.req.Canaries, draw.Hash(c.set.cfg.Seed, c.key, c.entry.Attempt, draw.SaltLeak))
		if !c.set.cfg.EchoContext {
			c.echo = canary.AppendSeen(c.echo, []canary.Mark{stranger})
		}
		return append(append([]canary.Mark(nil), seen...), stranger)
	case config.KindEscape:
		value := c.fault.Value
		if value == "" {
			value = plantedEscape
		}
		c.text += value
		c.length = token.Count(c.text)
	case config.KindStatus, config.KindSlow, config.KindHang, config.KindReset, config.KindTruncate, config.KindGarbage,
		config.KindHTML, config.KindWrongContentType, config.KindEmpty, config.KindOversized, config.KindDrip,
		config.KindErrorInStream, config.KindFailFirst, config.KindCount:
	}
	return seen
}
