package openai

import (
	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/prompt"
)

// AppendError appends the error in OpenAI's shape.
func AppendError(dst []byte, e *prompt.Error) []byte {
	dst = jsontext.AppendString(append(dst, `{"error":{"message":`...), e.Message)
	dst = jsontext.AppendString(append(dst, `,"type":`...), e.Kind)
	dst = appendNullable(append(dst, `,"param":`...), e.Param)
	dst = appendNullable(append(dst, `,"code":`...), e.Code)
	return append(dst, `}}`...)
}

func appendNullable(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return jsontext.AppendString(dst, s)
}
