package admin

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/backflow"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/wire"
)

const (
	longestQuestion = 200  // characters of an entry of the FAQ
	longestAnswer   = 2000 // likewise
)

// showBackflow tells what became of the questions with a degraded answer.
func (a *Admin) showBackflow(x *exchange) error {
	s, err := a.Backflow.State(x.r.Context())
	if err != nil {
		return problem.State
	}
	j := wire.JSON(nil).Object("").Int("in", s.In)
	for _, e := range backflow.Ends {
		j = j.Int(string(e), s.Ends[e])
	}
	return x.send(http.StatusOK, j.Int("waiting", s.Waiting).Bool("conserved", s.Conserved()).
		Int("outbox", int64(s.Outbox)).Int("lost", s.Lost).StringIf("paused", s.Paused).EndObject())
}

// showDrafts lists what waits for review; ?ready=true only what was asked often
// enough and answered alike.
func (a *Admin) showDrafts(x *exchange) error {
	list, err := a.Backflow.Drafts(x.r.Context())
	if err != nil {
		return problem.State
	}
	j := wire.JSON(nil).Object("").Array("drafts")
	for _, d := range list {
		if d.Ready || x.r.URL.Query().Get("ready") != "true" {
			j = j.Object("").String("id", d.ID).String("question", d.Question).String("answer", d.Answer).Int("users", int64(d.Users)).
				Float("agree", d.Agree, 3).Bool("ready", d.Ready).Int("first_unix_ms", d.FirstMS).EndObject()
		}
	}
	return x.send(http.StatusOK, j.EndArray().EndObject())
}

// acceptDraft takes {question, answer}, both optional: the reviewer's own words.
func (a *Admin) acceptDraft(x *exchange) error {
	var in struct {
		Question string `json:"question"`
		Answer   string `json:"answer"`
	}
	if x.r.ContentLength != 0 {
		if err := x.decode(&in, "want {question, answer}, or nothing for those of the draft"); err != nil {
			return err
		}
	}
	in.Question, in.Answer = strings.TrimSpace(in.Question), strings.TrimSpace(in.Answer)
	if utf8.RuneCountInString(in.Question) > longestQuestion || utf8.RuneCountInString(in.Answer) > longestAnswer || in.Question != "" && answer.Normal(in.Question) == "" || in.Answer != "" && dialog.Blank(in.Answer) {
		return problem.Fields("question: want up to 200 characters that can be seen; answer: up to 2000")
	}
	e, err := a.Backflow.Accept(x.r.Context(), x.r.PathValue("id"), in.Question, in.Answer)
	if err != nil {
		return draftProblem(err)
	}
	a.Log.Warn("draft accepted", "id", e.ID)
	return x.send(http.StatusOK, appendEntry(nil, e))
}

func (a *Admin) rejectDraft(x *exchange) error {
	if err := a.Backflow.Reject(x.r.Context(), x.r.PathValue("id")); err != nil {
		return draftProblem(err)
	}
	a.Log.Warn("draft rejected", "id", x.r.PathValue("id"))
	return x.done()
}

// showShelf exports the accepted entries in the form of answer/faq.json.
func (a *Admin) showShelf(x *exchange) error {
	list, err := a.Backflow.Shelf(x.r.Context())
	if err != nil {
		return problem.State
	}
	j := wire.JSON(nil).Array("")
	for _, e := range list {
		j = appendEntry(j, e)
	}
	return x.send(http.StatusOK, j.EndArray())
}

func (a *Admin) takeBack(x *exchange) error {
	id := strings.TrimPrefix(x.r.PathValue("id"), answer.Accepted)
	if err := a.Backflow.TakeBack(x.r.Context(), id); err != nil {
		return draftProblem(err)
	}
	a.Log.Warn("accepted entry taken back", "id", id)
	return x.done()
}

func appendEntry(j wire.JSON, e backflow.Entry) wire.JSON {
	return j.Object("").String("id", answer.Accepted+e.ID).Array("q").String("", e.Question).EndArray().String("a", e.Answer).EndObject()
}

func draftProblem(err error) *problem.Problem {
	switch {
	case errors.Is(err, backflow.ErrNoDraft):
		return problem.NotFound
	case errors.Is(err, backflow.ErrShelfFull):
		return problem.Fields(err.Error())
	}
	return problem.State
}
