package scenario

import (
	"slices"
	"strings"
)

// Outside is what a scenario takes from outside of its text.
type Outside struct {
	Files       []string // data tables, uploads, certificates: as the scenario writes their paths
	SecretFiles []string // of ${file:PATH}, and keys
	Env         []string // of ${env:NAME}
}

// Outside lists what must be beside the scenario for it to run elsewhere; each
// once, in order.
func (s *Scenario) Outside() Outside {
	var o Outside
	for _, name := range sortedKeys(s.Data) {
		o.Files = append(o.Files, s.Data[name].CSV, s.Data[name].JSONL)
	}
	if t := s.Target.TLS; t != nil {
		o.Files = append(o.Files, t.CA, t.Cert)
		o.SecretFiles = append(o.SecretFiles, t.Key)
	}
	o.Files = append(o.Files, s.Target.uploads()...)
	for _, f := range s.templates() {
		for _, use := range f.Uses() {
			switch kind, rest, _ := strings.Cut(use.Name, ":"); kind {
			case "env":
				o.Env = append(o.Env, rest)
			case "file":
				o.SecretFiles = append(o.SecretFiles, rest)
			}
		}
	}
	return Outside{Files: eachOnce(o.Files), SecretFiles: eachOnce(o.SecretFiles), Env: eachOnce(o.Env)}
}

// uploads are the files that bodies send.
func (t *Target) uploads() (paths []string) {
	body := func(as BodyKind, text []byte) {
		if as != AsMultipart {
			return
		}
		parts, _ := Parts(text) // what is wrong with them is said elsewhere
		for _, p := range parts {
			paths = append(paths, p.File)
		}
	}
	steps := func(list []Step) {
		for i := range list {
			body(list[i].As, list[i].Body)
		}
	}
	if l := t.Login; l != nil {
		body(l.As, l.Body)
		steps(l.Steps)
	}
	if r := t.Request; r != nil {
		body(r.As, r.Body)
	}
	steps(t.Before)
	steps(t.Then)
	return paths
}

func eachOnce(list []string) []string {
	slices.Sort(list)
	list = slices.Compact(list)
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}
