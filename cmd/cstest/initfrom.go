package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cstest/cstest/derive"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/scenario"
)

// recorded makes a scenario, for the file at path, of what source has; what a person
// should know of it goes to standard error.
func recorded(ctx context.Context, s streams, from, source, path string, send bool) ([]byte, error) {
	var (
		list  []*derive.Exchange
		notes reason.Reasons
		err   error
	)
	switch from {
	case "curl":
		list, notes, err = fromCurl(ctx, s.in, source, send)
	case "har":
		if send {
			return nil, usageError{reason.Errorf("--send goes with --from curl: a HAR file has its answers")}
		}
		list, err = fromHAR(s.in, source)
	case "openapi", "postman":
		if send {
			return nil, usageError{reason.Errorf("--send goes with --from curl: what is described is not asked")}
		}
		list, notes, err = fromDescription(s.in, from, source)
	default:
		return nil, usageError{reason.Errorf("--from %s: write curl, har, openapi or postman", from)}
	}
	if err != nil {
		return nil, usageError{err}
	}
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	made, err := derive.Scenario(name, escape.Clean(filepath.Base(path)), list)
	if err != nil {
		return nil, usageError{err}
	}
	for _, n := range append(notes, made.Notes...) {
		fmt.Fprintln(s.err, escape.Clean(n.Text(s.language())))
	}
	return made.YAML, nil
}

// fromCurl takes the commands themselves, @FILE, or - for standard input.
func fromCurl(ctx context.Context, in io.Reader, source string, send bool) ([]*derive.Exchange, reason.Reasons, error) {
	if file, ok := strings.CutPrefix(source, "@"); ok || source == "-" {
		if !ok {
			file = ""
		}
		text, err := readSource(in, file)
		if err != nil {
			return nil, nil, err
		}
		source = string(text)
	}
	list, notes, err := derive.ParseCurl(source)
	if err != nil || !send {
		return list, notes, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	sent, err := derive.Send(ctx, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, os.LookupEnv, list)
	return list, append(notes, sent...), err
}

func fromHAR(in io.Reader, source string) ([]*derive.Exchange, error) {
	if source == "-" {
		source = ""
	}
	text, err := readSource(in, source)
	if err != nil {
		return nil, err
	}
	return derive.ParseHAR(text)
}

// fromDescription reads what describes an API: an OpenAPI document in YAML or JSON, or
// a collection of Postman's.
func fromDescription(in io.Reader, from, source string) ([]*derive.Exchange, reason.Reasons, error) {
	if source == "-" {
		source = ""
	}
	text, err := readSource(in, source)
	if err != nil {
		return nil, nil, err
	}
	if text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))); len(text) == 0 || text[0] != '{' {
		if text, err = scenario.Document(source, text); err != nil {
			return nil, nil, err
		}
	}
	if from == "postman" {
		return derive.ParsePostman(text)
	}
	x, notes, err := derive.ParseOpenAPI(text)
	return []*derive.Exchange{x}, notes, err
}

// readSource reads a file, standard input where it has no name.
func readSource(in io.Reader, file string) ([]byte, error) {
	if file == "" {
		return io.ReadAll(io.LimitReader(in, derive.MaxSource+1))
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, derive.MaxSource+1))
}
