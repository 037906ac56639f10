package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/redact"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/trial/servers"
	"github.com/cstest/cstest/tune"
)

// variantKey is the key of --vary that stands for the scenario's own variants.
const variantKey = "variant"

// ownVariants are the scenario's variants as values to vary.
func ownVariants(s *scenario.Scenario) tune.Vary {
	v := tune.Vary{Key: variantKey}
	for _, own := range s.Variants {
		v.Values = append(v.Values, own.Name)
	}
	return v
}

// checkVariants refuses names that the scenario does not have.
func checkVariants(s *scenario.Scenario, vary []tune.Vary) error {
	known := ownVariants(s).Values
	for _, v := range vary {
		for _, name := range v.Values {
			switch {
			case v.Key != variantKey || slices.Contains(known, name):
			case len(known) == 0:
				return refused(reason.VariantsMissing, name)
			default:
				return refused(reason.VariantUnknown, name, strings.Join(known, ", "))
			}
		}
	}
	return nil
}

// applier puts one's own server into the states that the scenario's variants
// name, and back into the first.
type applier struct {
	variants []scenario.Variant
	dir      string // of the scenario
	secrets  *redact.Redactor
	dirty    bool // something was applied
}

// apply does what the variant of an arm says, nothing for an arm without one.
// What the command wrote goes to apply.log in logs.
func (a *applier) apply(ctx context.Context, arm tune.Variant, logs string) error {
	for _, s := range arm {
		if s.Key == variantKey {
			i := slices.IndexFunc(a.variants, func(v scenario.Variant) bool { return v.Name == s.Value })
			a.dirty = true
			return a.do(ctx, &a.variants[i], logs)
		}
	}
	return nil
}

func (a *applier) do(ctx context.Context, v *scenario.Variant, logs string) error {
	output, err := servers.Apply(ctx, v, a.dir)
	written := os.MkdirAll(logs, 0o755)
	if written == nil {
		written = os.WriteFile(filepath.Join(logs, "apply.log"), []byte(a.secrets.Text(string(output))), 0o644)
	}
	switch {
	case err == nil && written != nil:
		return resultsError{written}
	case err == nil || ctx.Err() != nil:
		return err
	}
	err = cleaned(err, a.secrets)
	return &trial.TargetError{Why: reason.New(reason.VariantRefused, v.Name, reason.Of(err)), Err: err}
}

// restore applies the first variant again, which is how the server was found,
// whatever became of the experiment. Only the command's own time limit ends it.
func (a *applier) restore(logs string) error {
	if !a.dirty {
		return nil
	}
	first := &a.variants[0]
	if err := a.do(context.Background(), first, logs); err != nil {
		return &trial.TargetError{Why: reason.New(reason.VariantNotRestored, first.Name, reason.Of(err)), Err: err}
	}
	return nil
}
