package main

import (
	"errors"
	"math"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// arguments takes so many of them, and says what a command takes where there are
// others; many is any number.
func arguments(least, most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		n := len(args)
		switch {
		case n >= least && n <= most:
			return nil
		case least == most:
			return reason.Errorf("takes %d argument(s), got %d", least, n)
		case n < least:
			return reason.Errorf("takes at least %d argument(s), got %d", least, n)
		}
		return reason.Errorf("takes at most %d argument(s), got %d", most, n)
	}
}

const many = math.MaxInt

// wrapArgs turns cobra's complaints about arguments into usage errors.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usagef("%w (see: %s --help)", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}

// flagError is what pflag says of a flag, said again so that it is known in both
// languages.
func flagError(err error) error {
	var (
		unknown *pflag.NotExistError
		empty   *pflag.ValueRequiredError
		wrong   *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return reason.Errorf("unknown shorthand flag: %q in -%s", unknown.GetSpecifiedName(), unknown.GetSpecifiedShortnames())
	case errors.As(err, &unknown):
		return reason.Errorf("unknown flag: --%s", unknown.GetSpecifiedName())
	case errors.As(err, &empty) && empty.GetSpecifiedShortnames() != "":
		return reason.Errorf("flag needs an argument: %q in -%s", empty.GetSpecifiedName(), empty.GetSpecifiedShortnames())
	case errors.As(err, &empty):
		return reason.Errorf("flag needs an argument: --%s", empty.GetSpecifiedName())
	case errors.As(err, &wrong):
		return reason.Errorf("--%s %q: %w", wrong.GetFlag().Name, wrong.GetValue(), wrong.Unwrap())
	case errors.As(err, &syntax):
		return reason.Errorf("bad flag syntax: %s", syntax.GetSpecifiedFlag())
	}
	return err
}

// noSuchCommand refuses a word that is no command below cmd, and names the one
// that was probably meant.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return reason.Errorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), didYouMean(args[0], names))
}

// helpOfNoCommand has `cstest help WORD` refuse a word that is no command.
func helpOfNoCommand(root *cobra.Command) {
	help, _, err := root.Find([]string{"help"})
	if err != nil {
		return
	}
	help.Example = "  cstest help run\n  cstest help serve mockllm"
	help.Args = func(_ *cobra.Command, args []string) error {
		cmd, rest, err := root.Find(args)
		switch {
		case err != nil:
			return err
		case len(rest) > 0 && cmd.HasSubCommands():
			return noSuchCommand(cmd, rest)
		}
		return nil
	}
}

// nearestFlag names the flag that was probably meant by one that is not known.
func nearestFlag(cmd *cobra.Command, err error) reason.Phrase {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return reason.Phrase{}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if best := scenario.Nearest(unknown.GetSpecifiedName(), names); best != "" {
		return reason.Say("; did you mean --%s?", best)
	}
	return reason.Phrase{}
}

// didYouMean is the end of a message about a word that is none of names.
func didYouMean(word string, names []string) reason.Phrase {
	if best := scenario.Nearest(word, names); best != "" {
		return reason.Say("; did you mean %q?", best)
	}
	return reason.Phrase{}
}
