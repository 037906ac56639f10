package prompt

import (
	"math"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/jsontext"
)

// Open checks that a body is a JSON object and stands before it. The cursor
// points into body.
func Open(body []byte) (jsontext.Cursor, error) {
	if len(body) == 0 {
		return jsontext.Cursor{}, BadRequest("", "", "the request body is empty: send a JSON object")
	}
	if !utf8.Valid(body) {
		return jsontext.Cursor{}, BadRequest("", "", "the request body is not valid UTF-8")
	}
	text := unsafe.String(&body[0], len(body)) // no copy: the caller keeps body until it let go of r
	if !jsontext.Shallow(text) {
		return jsontext.Cursor{}, BadRequest("", "", "the request body is nested deeper than %d", jsontext.MaxDepth)
	}
	if !gjson.Valid(text) {
		return jsontext.Cursor{}, BadRequest("", "", "could not parse the JSON body of your request")
	}
	c := jsontext.Cursor{S: text}
	if c.Space() != '{' {
		return c, BadRequest("", "", "the request body must be a JSON object")
	}
	return c, nil
}

const maxStops = 4 // as the vendor has it

// ReadStops reads what ends an answer.
func ReadStops(r *Request, v gjson.Result) error {
	if v.Type == gjson.Null {
		return nil
	}
	all := []gjson.Result{v}
	if v.IsArray() {
		all = v.Array()
	}
	for i, stop := range all {
		if stop.Type != gjson.String || stop.Str == "" || i == maxStops {
			return BadRequest("stop", "", "'stop' must be a string that is not empty, or an array of at most %d", maxStops)
		}
		r.Stops = append(r.Stops, stop.Str)
	}
	return nil
}

// Flag reads a boolean that may be null or absent.
func Flag(v gjson.Result, name string, to *bool) error {
	switch v.Type {
	case gjson.True, gjson.False:
		*to = v.Type == gjson.True
	case gjson.Null: // also when absent
	default:
		return BadRequest(name, "", "'%s' must be a boolean", name)
	}
	return nil
}

// Between checks a number that may be null.
func Between(v gjson.Result, name string, low, high float64) error {
	if v.Type == gjson.Null {
		return nil
	}
	if v.Type != gjson.Number || !(v.Num >= low && v.Num <= high) {
		return BadRequest(name, "", "'%s' must be a number from %g to %g", name, low, high)
	}
	return nil
}

// ReadLimit reads the most tokens of an answer.
func ReadLimit(r *Request, name string, v gjson.Result) error {
	if v.Type == gjson.Null {
		return nil
	}
	if v.Type != gjson.Number || !(v.Num >= 1 && v.Num <= math.MaxInt32) || v.Num != math.Trunc(v.Num) {
		return BadRequest(name, "", "'%s' must be a whole number of at least 1", name)
	}
	r.MaxTokens = int(v.Num)
	return nil
}

// ReadModel reads the name of a model.
func ReadModel(r *Request, v gjson.Result) error {
	if v.Type != gjson.String || len(v.Str) > config.MaxModelLen {
		return BadRequest("model", "", "'model' must be a string of at most %d bytes", config.MaxModelLen)
	}
	if !r.Deployed {
		r.Model = v.Str
	}
	return nil
}

// efforts are the shares of the configured reasoning tokens that each effort takes.
var efforts = map[string]float64{"none": 0, "minimal": 0.25, "low": 0.5, "medium": 1, "high": 2, "xhigh": 4}

// ReadEffort reads how much the model is to reason.
func ReadEffort(r *Request, name string, v gjson.Result) error {
	if v.Type == gjson.Null {
		return nil
	}
	if _, known := efforts[v.Str]; !known {
		return BadRequest(name, "", "'%s' must be none, minimal, low, medium, high or xhigh", name)
	}
	r.Effort = strings.Clone(v.Str)
	return nil
}

// Reasoning is how many tokens a model that reasons with n by default takes.
func (r *Request) Reasoning(n int) int {
	if share, given := efforts[r.Effort]; given {
		return int(float64(n) * share)
	}
	return n
}
