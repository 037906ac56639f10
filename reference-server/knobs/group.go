package knobs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// groupKnobs are those that a release group may have of its own: what one turn does,
// and nothing that turns share.
var groupKnobs = []string{
	"cache.hot", "chat.deadline", "chat.degrade_at", "history.bytes", "history.forget", "history.messages",
	"llm.model", "llm.prompt", "llm.slow", "llm.timeout",
}

// ForGroup is s with the knobs of a release group. The error names what no group can
// have, and what does not fit the rest.
func (s Settings) ForGroup(values map[string]string) (Settings, error) {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(groupKnobs, name) {
			errs = append(errs, fmt.Errorf("knob %q cannot be a group's own: want any of %s", name, strings.Join(groupKnobs, ", ")))
		}
	}
	if len(errs) > 0 {
		return Settings{}, errors.Join(errs...)
	}
	s.GrayKnobs = "" // those of the group itself have none
	return s.Apply(values, true)
}

// ParseGroup reads the knobs of a group as one text: name=value, parted by spaces.
func ParseGroup(text string) (map[string]string, error) {
	values := map[string]string{}
	for part := range strings.FieldsSeq(text) {
		name, value, ok := strings.Cut(part, "=")
		if _, twice := values[name]; !ok || twice || name == "" {
			return nil, fmt.Errorf("%q is not name=value, or is there twice", part)
		}
		values[name] = value
	}
	return values, nil
}

// checkGroup says what is wrong with the gray group.
func (s Settings) checkGroup() error {
	switch {
	case s.LLMModel == "":
		return errors.New("knob llm.model: must not be empty")
	case s.GrayShare < 0 || s.GrayShare > 1 || s.GrayBudget < 0 || s.GrayLate < 0:
		return errors.New("knob gray.share: must be 0% to 100%, gray.budget and gray.late 0 or more")
	}
	if s.GrayKnobs == "" {
		return nil
	}
	values, err := ParseGroup(s.GrayKnobs)
	if err == nil {
		_, err = s.ForGroup(values)
	}
	if err == nil && s.GrayShare > 0.5 {
		err = errors.New("a group of more than 50% leaves too few to compare it with: see gray.share")
	}
	if err != nil {
		return fmt.Errorf("knob gray.knobs: %w", err)
	}
	return nil
}
