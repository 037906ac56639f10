package result

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
)

// sameQuestion is empty when both runs were asked the same, and says what
// differs when they were not. Knobs, overrides and machines may differ: they are
// what is compared.
func sameQuestion(a, b *Document) string {
	for _, r := range AskedDifferently(a, b) {
		if w, ok := r.Args[0].(reason.Word); ok {
			return string(w)
		}
	}
	return ""
}

// AskedDifferently lists in what the questions of two runs differ: name, scale,
// stages, conversations, objectives. Empty when they were asked the same.
func AskedDifferently(a, b *Document) reason.Reasons {
	if a.Scenario.SHA256 != "" && a.Scenario.SHA256 == b.Scenario.SHA256 && a.Scenario.Scale == b.Scenario.Scale {
		return nil
	}
	return differing([]aspect{
		{"name", a.Scenario.Name, b.Scenario.Name},
		{"scale", figureOf(a.Scenario.Scale), figureOf(b.Scenario.Scale)},
		{"stages", stagesText(a), stagesText(b)},
		{"conversations", conversationsText(a), conversationsText(b)},
		{"objectives", objectivesText(a, b), objectivesText(b, a)},
	})
}

// TargetDiffers lists in what the servers under test differ, as far as results
// tell, and how they were talked to.
func TargetDiffers(a, b *Document) reason.Reasons {
	knobs := orEmptyMap(a.Knobs)
	maps.Copy(knobs, b.Knobs)
	var out reason.Reasons
	for _, k := range slices.Sorted(maps.Keys(knobs)) {
		if x, y := a.Knobs[k], b.Knobs[k]; x != y {
			out = append(out, reason.New(reason.KnobDiffers, k, x, y))
		}
	}
	x, y := a.Target, b.Target
	list := []aspect{
		{"profile", x.Profile, y.Profile},
		{"target", targetText(x), targetText(y)},
		{"API", string(x.API), string(y.API)},
		{"HTTP", string(x.HTTP), string(y.HTTP)},
		{"mode", string(x.Mode), string(y.Mode)},
		{"connections", string(x.Connections), string(y.Connections)},
		{"Redis", x.Redis, y.Redis},
	}
	if len(out) == 0 && x.Profile == y.Profile {
		list = append(list, aspect{"all knobs (SHA-256)", x.KnobsSHA256, y.KnobsSHA256})
	}
	return append(out, differing(list)...)
}

// SurroundingsDiffer lists what differs around the question and the target:
// versions, machine, seed, flags.
func SurroundingsDiffer(a, b *Document) reason.Reasons {
	x, y := a.Environment, b.Environment
	return differing([]aspect{
		{"cstest", a.CstestVersion, b.CstestVersion},
		{"Go", x.Go, y.Go},
		{"OS", x.OS + "/" + x.Arch, y.OS + "/" + y.Arch},
		{"CPU", x.CPU, y.CPU},
		{"cores", strconv.Itoa(x.Cores), strconv.Itoa(y.Cores)},
		{"kernel", x.Kernel, y.Kernel},
		{"seed", strconv.FormatUint(a.Scenario.Seed, 10), strconv.FormatUint(b.Scenario.Seed, 10)},
		{"overrides", overridesText(a), overridesText(b)},
	})
}

// overridesText is what was set on the command line but the seed, which is told by itself
// and differs from run to run by design.
func overridesText(d *Document) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(d.Overrides), func(s string) bool { return strings.HasPrefix(s, "seed=") }), " ")
}

// ValuesDiffer lists the values of two scenarios that differ, of keys that none of
// the beginnings in but names.
func ValuesDiffer(a, b map[string]string, but ...string) (out reason.Reasons) {
	keys := orEmptyMap(a)
	maps.Copy(keys, b)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if a[k] != b[k] && !slices.ContainsFunc(but, func(s string) bool { return strings.HasPrefix(k, s) }) {
			out = append(out, reason.New(reason.ValueDiffers, k, a[k], b[k]))
		}
	}
	return out
}

type aspect struct {
	what reason.Word
	a, b string
}

func differing(list []aspect) (out reason.Reasons) {
	for _, x := range list {
		if x.a != x.b {
			out = append(out, reason.New(reason.Differs, x.what, x.a, x.b))
		}
	}
	return out
}

func targetText(t Target) string {
	if t.Kind == TargetBundled {
		return string(t.Kind)
	}
	return t.URL
}

func figureOf(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func stagesText(d *Document) string {
	var parts []string
	for _, s := range d.Stages {
		text := fmt.Sprintf("%s %ss-%ss", s.Name, figureOf(s.StartS), figureOf(s.EndS))
		if !s.Judged {
			text += " not judged"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func conversationsText(d *Document) string {
	var parts []string
	for _, t := range d.Turns {
		parts = append(parts, fmt.Sprintf("%s %d: %s", t.Conversation, t.Index, t.Say))
	}
	return strings.Join(parts, ", ")
}

// objectivesText is those of d's objectives that other does not have just so.
func objectivesText(d, other *Document) string {
	var parts []string
	for i, o := range d.Objectives {
		var twin *Objective
		if i < len(other.Objectives) {
			twin = &other.Objectives[i]
		}
		// What may be bad of a census depends on how far the run came.
		if twin != nil && o.Name == twin.Name && equal(o.LimitNs, twin.LimitNs) && (o.Unit == "s" || equal(o.Target, twin.Target)) {
			continue
		}
		text := o.Name
		if o.Target != nil {
			text += " " + figureOf(*o.Target)
		}
		if o.LimitNs != nil {
			text += fmt.Sprintf(" within %d ns", *o.LimitNs)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }
