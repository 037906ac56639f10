package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/scenario"
)

// streams are the standard ones, or a test's.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
	raw io.Writer // standard output for what no person reads
}

// run is the whole program: arguments in, exit code out.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	s, flush := guarded(stdin, stdout, stderr)
	defer flush()
	defer func() {
		// Go exits with 2 then, which is nobody's exit code here.
		if v := recover(); v != nil {
			writeError(s.err, "cstest", fmt.Errorf("internal error: %v: please report it", v))
			_, _ = s.err.Write(debug.Stack())
			code = exitInternal
		}
	}()
	log.SetOutput(s.err) // where libraries complain
	root := newRootCmd(s)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(s.out)
	root.SetErr(s.err)
	cmd, err := root.ExecuteContextC(ctx)
	code = exitCode(err)
	var quiet quietError
	if err != nil && !errors.As(err, &quiet) {
		writeErrorIn(languageOf(cmd), s.err, root.Name(), err)
	}
	return code
}

// writeError prints one error; a list of problems already names its places.
func writeError(w io.Writer, name string, err error) {
	writeErrorIn(reason.English, w, name, err)
}

// languageOf is what a command's --lang asks for; English where it has none.
func languageOf(cmd *cobra.Command) reason.Lang {
	f := cmd.Flags().Lookup("lang")
	if f == nil {
		return reason.English
	}
	lang, _ := reason.ParseLang(f.Value.String()) // one that is not known has been refused
	return lang
}

// writeErrorIn is writeError in a language, where the error has a text in it.
func writeErrorIn(lang reason.Lang, w io.Writer, name string, err error) {
	text := report.NewRedactor(nil).Text(reason.Of(err).Text(lang)) // a flag may have been quoted, password and all
	text = printable(text)
	if strings.Contains(text, "\n") {
		fmt.Fprintf(w, "%s\n", text)
		return
	}
	fmt.Fprintf(w, "%s: %s\n", name, text)
}

// printable makes every control character of a text visible, line by line: what
// a target or a file says must not steer the terminal.
func printable(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = report.Clean(line)
	}
	return strings.Join(lines, "\n")
}

func newRootCmd(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "cstest",
		Short: "Load tests and SLA verification for AI customer-service chat",
		Long: `cstest drives multi-turn conversations against a chat server, breaks its LLM on
purpose, and says with evidence whether the SLA holds.

  cstest run                  the built-in midnight sale against the bundled server
  cstest run my.yaml          your own scenario (start one with: cstest init)
  cstest try my.yaml          one conversation, everything shown`,
		Example: `  cstest run
  cstest scenarios`,
		Version:       fullVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetVersionTemplate(versionLine() + "\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w%s (see: %s --help)", err, nearestFlag(cmd, err), cmd.CommandPath())}
	})
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		return flagsFromEnvironment(cmd, os.LookupEnv)
	}
	root.AddCommand(
		newRunCmd(s), newTryCmd(s), newTuneCmd(s), newCapacityCmd(s),
		newReportCmd(s), newMergeCmd(s), newCompareCmd(s), newTrendCmd(s), newAuditCmd(s), newSelftestCmd(s),
		newScenariosCmd(s), newInitCmd(s), newValidateCmd(s), newSchemaCmd(s), newImportCmd(s), newLearnCmd(s),
		newServeCmd(s), newVersionCmd(s), newRunShardCmd(s),
	)
	wrapArgs(root)
	tellExitCodes(root)
	return root
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
	return fmt.Errorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), didYouMean(args[0], names))
}

// nearestFlag names the flag that was probably meant by one that is not known.
func nearestFlag(cmd *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return ""
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if best := scenario.Nearest(unknown.GetSpecifiedName(), names); best != "" {
		return "; did you mean --" + best + "?"
	}
	return ""
}

// didYouMean is the end of a message about a word that is none of names.
func didYouMean(word string, names []string) string {
	if best := scenario.Nearest(word, names); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}

// wrapArgs turns cobra's complaints about arguments into usage errors.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{fmt.Errorf("%w (see: %s --help)", err, cmd.CommandPath())}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}

// flagsFromEnvironment gives every flag that was not set its CSTEST_<NAME>.
func flagsFromEnvironment(cmd *cobra.Command, lookup func(string) (string, bool)) error {
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" || f.Name == "version" {
			return
		}
		name := "CSTEST_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := lookup(name)
		if !ok {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil && failed == nil {
			failed = usageError{fmt.Errorf("environment variable %s: %w", name, err)}
		}
	})
	return failed
}
