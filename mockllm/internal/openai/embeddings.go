package openai

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm/internal/draw"
	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/prompt"
)

// Bounds of an embeddings request, as the vendor has them.
const (
	maxInputs         = 2048
	maxDimensions     = 4096
	defaultDimensions = 1536
)

// Embeddings writes vectors. Each is a function of its input alone, so that
// equal texts have equal vectors under any seed; its length is 1.
type Embeddings struct {
	prompt.Reply
	inputs     []uint64 // a hash of each
	dimensions int
	base64     bool
}

// DecodeEmbeddings reads an embeddings request into r and what it wants into e.
func DecodeEmbeddings(r *prompt.Request, e *Embeddings, body []byte, limits *prompt.Limits) error {
	e.dimensions = defaultDimensions
	return decodeInputs(r, body, limits, func(name string, v gjson.Result) error {
		switch name {
		case "input":
			return readInputs(r, v, func(text string) { e.inputs = append(e.inputs, xxhash.Sum64String(text)) })
		case "dimensions":
			if v.Type == gjson.Null {
				return nil
			}
			if v.Type != gjson.Number || v.Num != math.Trunc(v.Num) || !(v.Num >= 1 && v.Num <= maxDimensions) {
				return prompt.BadRequest(name, "", "'dimensions' must be a whole number from 1 to %d", maxDimensions)
			}
			e.dimensions = int(v.Num)
		case "encoding_format":
			if v.Type != gjson.Null && v.Str != "float" && v.Str != "base64" {
				return prompt.BadRequest(name, "", "'encoding_format' must be float or base64")
			}
			e.base64 = v.Str == "base64"
		}
		return nil
	})
}

// decodeInputs reads a request that has 'input' instead of a dialog.
func decodeInputs(r *prompt.Request, body []byte, limits *prompt.Limits, field func(name string, v gjson.Result) error) error {
	c, err := prompt.Open(body)
	if err != nil {
		return err
	}
	err = c.Members(func(key string) error {
		if key == "model" {
			return prompt.ReadModel(r, c.Value())
		}
		return field(key, c.Value())
	})
	if err != nil {
		return err
	}
	return r.Check(limits)
}

// readInputs takes a text, an array of texts, or, as numbers, tokens of one or
// several texts.
func readInputs(r *prompt.Request, v gjson.Result, each func(text string)) error {
	r.Asked = true
	take := func(text string) {
		r.Text(text)
		r.Question = text
		each(text)
	}
	if v.Type == gjson.String && v.Str != "" {
		take(v.Str)
		return nil
	}
	items := v.Array()
	if !v.IsArray() || len(items) == 0 || len(items) > maxInputs {
		return prompt.BadRequest("input", "", "'input' must be a text that is not empty, or an array of 1 to %d", maxInputs)
	}
	if items[0].Type == gjson.Number { // the tokens of one text
		take(v.Raw)
		return nil
	}
	for i, item := range items {
		switch {
		case item.Type == gjson.String && item.Str != "":
			take(item.Str)
		case item.IsArray() && len(item.Array()) > 0 && item.Array()[0].Type == gjson.Number:
			take(item.Raw)
		default:
			return prompt.BadRequest(fmt.Sprintf("input[%d]", i), "", "'input[%d]' must be a text that is not empty, or an array of tokens", i)
		}
	}
	return nil
}

// vector is the unit vector of an input: normal deviates, so that its
// direction is uniform and two texts are nearly at right angles.
func (e *Embeddings) vector(input uint64) []float32 {
	var k draw.Key
	binary.LittleEndian.PutUint64(k[:], input)
	raw, sum := make([]float64, e.dimensions), 0.0
	for i := range raw {
		raw[i] = draw.Normal(draw.Hash(0, k, 0, uint64(i)))
		sum += raw[i] * raw[i]
	}
	out := make([]float32, len(raw))
	for i := range raw {
		out[i] = float32(raw[i] / math.Sqrt(sum))
	}
	return out
}

// Whole appends the body of the answer.
func (e *Embeddings) Whole(dst []byte, _, _ string, u prompt.Usage) []byte {
	dst = append(dst, `{"object":"list","data":[`...)
	for i, input := range e.inputs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(strconv.AppendInt(append(dst, `{"object":"embedding","index":`...), int64(i), 10), `,"embedding":`...)
		dst = append(e.appendVector(dst, e.vector(input)), '}')
	}
	return e.tail(append(dst, ']'), u)
}

func (e *Embeddings) tail(dst []byte, u prompt.Usage) []byte {
	dst = jsontext.AppendString(append(dst, `,"model":`...), e.Model)
	dst = strconv.AppendInt(append(dst, `,"usage":{"prompt_tokens":`...), int64(u.Prompt), 10)
	dst = strconv.AppendInt(append(dst, `,"total_tokens":`...), int64(u.Prompt), 10)
	return append(dst, `}}`...)
}

func (e *Embeddings) appendVector(dst []byte, v []float32) []byte {
	if e.base64 {
		raw := make([]byte, 0, 4*len(v))
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), raw), '"')
	}
	dst = append(dst, '[')
	for i, x := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendFloat(dst, float64(x), 'g', -1, 32)
	}
	return append(dst, ']')
}

// Hollow appends an answer without vectors.
func (e *Embeddings) Hollow(dst []byte, u prompt.Usage) []byte {
	return e.tail(append(dst, `{"object":"list","data":[]`...), u)
}
