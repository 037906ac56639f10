package scenario

import (
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

// Some values have a short form beside their mapping: "5/s" for {from: 5/s,
// to: 5/s}. scalarForm reads it, shortForm gives it back where the value has one.
type scalarForm interface {
	fromScalar(text string) error
	shortForm() (string, bool)
}

func (r *RateRamp) fromScalar(text string) error {
	v, err := unit.ParseRate(text)
	*r = RateRamp{From: v, To: v}
	return err
}

func (r *RateRamp) shortForm() (string, bool) { return r.From.String(), r.From == r.To }

func (r *CountRamp) fromScalar(text string) error {
	v, err := unit.ParseCount(text)
	*r = CountRamp{From: v, To: v}
	return err
}

func (r *CountRamp) shortForm() (string, bool) { return r.From.String(), r.From == r.To }

func (t *Think) fromScalar(text string) error {
	v, err := unit.ParseDuration(text)
	*t = Think{Constant: unit.Duration(v)}
	return err
}

func (t *Think) shortForm() (string, bool) {
	return t.Constant.String(), *t == Think{Constant: t.Constant}
}

func (l *Latency) fromScalar(text string) error {
	v, err := unit.ParseDuration(text)
	*l = Latency{Constant: unit.Duration(v)}
	return err
}

func (l *Latency) shortForm() (string, bool) {
	return l.Constant.String(), *l == Latency{Constant: l.Constant}
}

func (d *Dist) fromScalar(text string) error {
	v, err := unit.ParseDuration(text)
	*d = Dist{Constant: unit.Duration(v)}
	return err
}

func (d *Dist) shortForm() (string, bool) {
	return d.Constant.String(), *d == Dist{Constant: d.Constant}
}

func (r *RateLimited) fromScalar(text string) error {
	switch policy := Policy(text); policy {
	case PolicyBad, PolicyExclude:
		*r = RateLimited{Policy: policy}
		return nil
	case PolicyContract:
		return reason.Errorf("say how much the contract allows: {contract: 500/s}")
	}
	return reason.Errorf("%q is not a policy: write bad, exclude or {contract: 500/s}", text)
}

func (r *RateLimited) shortForm() (string, bool) {
	return string(r.Policy), r.Policy != PolicyContract && r.Contract == 0
}
