package reason

import (
	"errors"
	"fmt"
	"strings"
)

// Phrase is a sentence, or a piece of one, about what somebody wrote: a scenario,
// a flag, a table. It is made of a format that the table of phrases has in
// Chinese, and is for people alone: what programs read are Reasons. It is a plain
// value that can be compared; the zero Phrase says nothing.
type Phrase struct{ en, zh string }

// phrased is an error that a package below this one words: unit's.
type phrased interface {
	Phrase() (format string, args []any)
}

// spoken is what reads differently in the languages: a Phrase, a Word, an error
// made of phrases.
type spoken interface{ Text(lang Lang) string }

// Say makes a Phrase as fmt.Sprintf does. Arguments that are Phrases, Words or
// errors of phrases are said in the language of the whole. A format that the
// table has not reads the same in every language.
func Say(format string, args ...any) Phrase {
	return Phrase{en: fmt.Sprintf(format, args...), zh: inChinese(format, args)}
}

func inChinese(format string, args []any) string {
	if zh, ok := phrases()[format]; ok {
		format = zh
	}
	said := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case spoken:
			said[i] = a.Text(Chinese)
		case error:
			said[i] = TextOf(a, Chinese)
		default:
			said[i] = a
		}
	}
	return fmt.Sprintf(strings.ReplaceAll(format, "%w", "%s"), said...)
}

// InEach is what text says in each language.
func InEach(text func(Lang) string) Phrase { return Phrase{text(English), text(Chinese)} }

// Text is the phrase in a language.
func (p Phrase) Text(lang Lang) string {
	if lang == Chinese {
		return p.zh
	}
	return p.en
}

// String is the text in English.
func (p Phrase) String() string { return p.en }

// Map is the phrase with f applied to its texts, as shortening does.
func (p Phrase) Map(f func(string) string) Phrase { return Phrase{f(p.en), f(p.zh)} }

// Errorf is fmt.Errorf, %w and all, with a text in every language.
func Errorf(format string, args ...any) error {
	return &phraseError{fmt.Errorf(format, args...), inChinese(format, args)}
}

type phraseError struct {
	error
	zh string
}

// Unwrap gives what %w wraps.
func (e *phraseError) Unwrap() error { return errors.Unwrap(e.error) }

// Text is what the error says in a language.
func (e *phraseError) Text(lang Lang) string {
	if lang == Chinese {
		return e.zh
	}
	return e.Error()
}

// TextOf is what err says in a language: what it is made of is, as far as it is
// made of phrases or reasons; what somebody else wrote reads as it does.
func TextOf(err error, lang Lang) string {
	english := err.Error()
	if lang == English {
		return english
	}
	switch e := err.(type) { //nolint:errorlint // this one itself: what is within is reached below
	case spoken:
		return e.Text(lang)
	case phrased:
		format, args := e.Phrase()
		return inChinese(format, args)
	case interface{ Reasons() Reasons }:
		if list := e.Reasons(); list.String() == english {
			return list.Text(lang)
		}
	case interface{ Unwrap() []error }:
		return joined(english, e.Unwrap(), lang)
	}
	within := errors.Unwrap(err)
	if within == nil {
		return english
	}
	if before, ok := strings.CutSuffix(english, within.Error()); ok {
		return before + TextOf(within, lang)
	}
	return english
}

// joined says several errors line by line, as errors.Join does.
func joined(english string, list []error, lang Lang) string {
	en, texts := make([]string, len(list)), make([]string, len(list))
	for i, err := range list {
		en[i], texts[i] = err.Error(), TextOf(err, lang)
	}
	if strings.Join(en, "\n") != english {
		return english
	}
	return strings.Join(texts, "\n")
}
