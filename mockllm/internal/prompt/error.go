package prompt

import (
	"errors"
	"fmt"
)

// Error is an error answer in OpenAI's shape.
type Error struct {
	Status            int
	Message           string
	Kind, Param, Code string
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// BadRequest is a 400 that names the parameter and, where there is one, a code.
func BadRequest(param, code, format string, args ...any) *Error {
	return &Error{Status: 400, Message: fmt.Sprintf(format, args...), Kind: "invalid_request_error", Param: param, Code: code}
}

// NoModel is the 404 of a model that is not configured.
func NoModel(name string) *Error {
	return &Error{Status: 404, Message: fmt.Sprintf("the model %q does not exist", name), Kind: "invalid_request_error", Param: "model", Code: "model_not_found"}
}

// ErrorOf is the error as a client is told it.
func ErrorOf(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Status: 500, Message: err.Error(), Kind: "server_error"}
}

// ErrorOfStatus is the error OpenAI sends with a status.
func ErrorOfStatus(status int) *Error {
	e := &Error{Status: status, Kind: "server_error", Message: "the server had an error while processing your request"}
	switch status {
	case 400:
		*e = Error{Status: status, Kind: "invalid_request_error", Message: "invalid request"}
	case 401:
		*e = Error{Status: status, Kind: "invalid_request_error", Code: "invalid_api_key", Message: "incorrect API key provided"}
	case 403:
		*e = Error{Status: status, Kind: "invalid_request_error", Code: "forbidden", Message: "you are not allowed to use this model"}
	case 404:
		*e = Error{Status: status, Kind: "invalid_request_error", Code: "model_not_found", Message: "the model does not exist"}
	case 429:
		*e = Error{Status: status, Kind: "requests", Code: "rate_limit_exceeded", Message: "rate limit reached, please try again later"}
	case 503:
		e.Code, e.Message = "service_unavailable", "the engine is currently overloaded, please try again later"
	}
	return e
}
