// Package answer chooses what the model says to a question.
package answer

import (
	"regexp"
	"strings"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/token"
)

// script is a compiled Answer.
type script struct {
	match *regexp.Regexp
	Answer
}

// Answer is a text with the number of its tokens.
type Answer struct {
	Say    string
	Tokens int

	Tool, Arguments string // what it calls, when that is offered
}

func newAnswer(say string) Answer { return Answer{Say: say, Tokens: token.Count(say)} }

// Set are the scripts and, after them, the canned answers.
type Set struct {
	scripts []script
	canned  []canned
}

// New compiles the configured answers.
func New(list []config.Answer) (*Set, error) {
	s := &Set{canned: cannedAnswers()}
	for _, a := range list {
		match, err := regexp.Compile(a.Match)
		if err != nil {
			return nil, err
		}
		s.scripts = append(s.scripts, script{match: match, Answer: Answer{a.Say, token.Count(a.Say), a.Tool, a.Arguments}})
	}
	return s, nil
}

// To picks the answer to a question.
func (s *Set) To(question string) Answer {
	for _, script := range s.scripts {
		if script.match.MatchString(question) {
			return script.Answer
		}
	}
	for _, c := range s.canned {
		for _, w := range c.words {
			if strings.Contains(question, w) {
				return c.Answer
			}
		}
	}
	return s.canned[len(s.canned)-1].Answer
}
