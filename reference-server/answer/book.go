package answer

import (
	"slices"
	"sync"
)

// Accepted begins the ids of entries that were accepted while the server runs.
const Accepted = "accepted-"

// Book is the FAQ of the moment: the reviewed entries that the program came with, and
// those that were accepted while it runs. Safe for concurrent use.
type Book struct {
	mu  sync.RWMutex
	faq *FAQ
}

// NewBook begins with the entries of the program.
func NewBook() (*Book, error) {
	faq, err := NewFAQ()
	if err != nil {
		return nil, err
	}
	return &Book{faq: faq}, nil
}

// Accept replaces the accepted entries. An error leaves the book as it was.
func (b *Book) Accept(entries ...Entry) error {
	faq, err := NewFAQ(entries...)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.faq = faq
	b.mu.Unlock()
	return nil
}

// Find is that of the FAQ.
func (b *Book) Find(text string) (Hit, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.faq.Find(text)
}

// Topic is that of the FAQ.
func (b *Book) Topic(text string) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.faq.Topic(text)
}

// Hot is that of the FAQ.
func (b *Book) Hot(text string) (key string, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.faq.Hot(text)
}

// Normal is a question without what does not change its meaning: the same for
// questions that are the same.
func Normal(text string) string { return normalise(text) }

// withAccepted adds copies of accepted entries to the list of the program. One that
// is asked in the words of another replaces that for these words.
func withAccepted(list []*Entry, accepted []Entry) []*Entry {
	for _, e := range accepted {
		list = append(list, &Entry{ID: e.ID, Topic: e.Topic, Keys: slices.Clone(e.Keys), Q: slices.Clone(e.Q), A: e.A})
	}
	return list
}
