package main

import (
	"cmp"
	"os"

	"github.com/cstest/cstest/reason"
)

// language is the --lang of every command; what is printed follows it.
type language struct{ lang reason.Lang }

// environmentLanguage is the language that the user works in, as the C library
// finds it.
func environmentLanguage(getenv func(string) string) reason.Lang {
	return reason.LangOf(cmp.Or(getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG")))
}

func newLanguage() *language { return &language{environmentLanguage(os.Getenv)} }

// String is the language as --lang takes it.
func (l *language) String() string { return string(l.lang) }

// Set takes en, zh and their regional forms.
func (l *language) Set(text string) error {
	lang, err := reason.ParseLang(text)
	if err == nil {
		l.lang = lang
	}
	return err
}

// Type names the argument in help texts.
func (l *language) Type() string { return "en|zh" }

// language is what --lang says, once flags are parsed.
func (s streams) language() reason.Lang {
	if s.lang == nil {
		return reason.English
	}
	return s.lang.lang
}

// say prints a line of a phrase for a person to read, beside the result.
func (s streams) say(format string, args ...any) {
	_, _ = s.err.Write([]byte(reason.Say(format, args...).Text(s.language()) + "\n")) // what is said beside the result may be lost
}

// warn is say of an error that is no reason to stop.
func (s streams) warn(err error) { s.say("warning: %s", err) }
