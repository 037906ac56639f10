package facts

import (
	"fmt"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// mostAddresses is how many of a target's addresses are printed; result.json has all.
const mostAddresses = 20

// Addresses is how many turns each address of a target got, with a head; nil
// where there is but one.
func Addresses(d *result.Document, w *words.Words) [][]string {
	all := d.Generator.Addresses
	if len(all) < 2 {
		return nil
	}
	var sum int64
	for _, a := range all {
		sum += a.Turns
	}
	rows := [][]string{{w.Address, w.Turns, w.Share, w.NotAnswered}}
	for i, a := range all {
		if i == mostAddresses {
			rows = append(rows, []string{fmt.Sprintf("… +%d", len(all)-i), "", "", ""})
			break
		}
		part := figure.Share(float64(a.Turns) / float64(max(sum, 1)))
		rows = append(rows, []string{escape.Clean(a.Address), figure.Whole(a.Turns), part, figure.Whole(a.Failed)})
	}
	return rows
}

// connections say what became of connections, where something did.
func connections(d *result.Document, w *words.Words) (out []string) {
	g := d.Generator
	if g.FullHandshakes+g.ResumedHandshakes > 0 {
		out = append(out, fmt.Sprintf(w.HandshakesF, figure.Whole(g.FullHandshakes), figure.Whole(g.ResumedHandshakes)))
	}
	if s := g.Sockets; s != nil {
		out = append(out, fmt.Sprintf(w.SocketsF, figure.Whole(s.Opened), figure.Whole(s.Reopened)))
		if s.Redialled+s.RedialsFailed > 0 {
			mean := int64(0)
			if s.Redialled > 0 {
				mean = s.RedialTotal.Nanoseconds() / s.Redialled
			}
			out = append(out, fmt.Sprintf(w.RedialsF, figure.Whole(s.Redialled), figure.Duration(mean), figure.Duration(s.RedialLongest.Nanoseconds()), figure.Whole(s.RedialsFailed)))
		}
		if s.LateAnswers+s.RepeatedAnswers+s.Unsolicited > 0 {
			out = append(out, fmt.Sprintf(w.StraysF, figure.Whole(s.LateAnswers), figure.Whole(s.RepeatedAnswers), figure.Whole(s.Unsolicited)))
		}
	}
	if g.Resent > 0 {
		out = append(out, fmt.Sprintf(w.ResentF, figure.Whole(g.Resent)))
	}
	return out
}
