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
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/redact"
)

// streams are the standard ones, or a test's.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
	raw io.Writer // standard output for what no person reads

	lang *language // what --lang says; nil is English
}

// run is the whole program: arguments in, exit code out.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	s, flush := guarded(stdin, stdout, stderr)
	defer flush()
	defer func() {
		// Go exits with 2 then, which is nobody's exit code here.
		if v := recover(); v != nil {
			s.writeError(reason.Errorf("internal error: %v: please report it", v))
			_, _ = s.err.Write(debug.Stack())
			code = exitInternal
		}
	}()
	log.SetOutput(s.err) // where libraries complain
	s.lang = newLanguage()
	root := newRootCmd(s)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	code = exitCode(err)
	var quiet quietError
	if err != nil && !errors.As(err, &quiet) {
		s.writeError(err)
	}
	return code
}

// writeError prints one error; a list of problems already names its places.
func (s streams) writeError(err error) {
	text := redact.New(nil).Text(reason.TextOf(err, s.language())) // a flag may have been quoted, password and all
	text = printable(text)
	if strings.Contains(text, "\n") {
		fmt.Fprintf(s.err, "%s\n", text)
		return
	}
	fmt.Fprintf(s.err, "cstest: %s\n", text)
}

// printable makes every control character of a text visible, line by line: what
// a target or a file says must not steer the terminal.
func printable(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = escape.Clean(line)
	}
	return strings.Join(lines, "\n")
}

func newRootCmd(s streams) *cobra.Command {
	if s.lang == nil {
		s.lang = newLanguage()
	}
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
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if told, err := cmd.Flags().GetBool("version"); told && err == nil {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), versionLine())
				return err
			}
			return cmd.Help()
		},
	}
	root.Flags().BoolP("version", "v", false, "version for cstest")
	root.PersistentFlags().Var(s.lang, "lang", "language of what a person reads: en or zh; by default that of LC_ALL, LC_MESSAGES or LANG")
	_ = root.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]string{"en", "zh"}, cobra.ShellCompDirectiveNoFileComp)) // it exists: it was just added
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w%s (see: %s --help)", flagError(err), nearestFlag(cmd, err), cmd.CommandPath())
	})
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		return flagsFromEnvironment(cmd, os.LookupEnv)
	}
	root.AddCommand(
		newRunCmd(s), newTryCmd(s), newTuneCmd(s), newCapacityCmd(s),
		newReportCmd(s), newMergeCmd(s), newCompareCmd(s), newTrendCmd(s), newAuditCmd(s), newSelftestCmd(s),
		newScenariosCmd(s), newInitCmd(s), newValidateCmd(s), newSchemaCmd(s), newImportCmd(s), newLearnCmd(s),
		newServeCmd(s), newSlurmCmd(s), newK8sCmd(s), newRenderCmd(s), newCollectCmd(s), newVersionCmd(s), newRunShardCmd(s), newManCmd(),
	)
	root.InitDefaultHelpCmd()
	helpOfNoCommand(root)
	completeWords(root)
	wrapArgs(root)
	tellExitCodes(root)
	return root
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
			failed = usagef("environment variable %s: %w", name, err)
		}
	})
	return failed
}
