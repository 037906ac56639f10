package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/mockllm"
	"github.com/cstest/cstest/reason"
	refserver "github.com/cstest/cstest/reference-server"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

const drainWithin = 25 * time.Second

func newServeCmd(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a bundled server on its own",
		Example: `  cstest serve mockllm
  cstest serve reference-server --llm http://127.0.0.1:9000 --dev`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newServeMockCmd(s), newServeReferenceCmd(s))
	return cmd
}

// ready is the one line on standard output that says a server listens.
type ready struct {
	Ready string `json:"ready"`
	URL   string `json:"url"`
	Admin string `json:"admin"`
	PID   int    `json:"pid"`
}

// untilAsked is a context that ends with SIGINT, SIGTERM or, for a child, with
// the end of standard input: the parent is gone then, however it went.
func untilAsked(ctx context.Context, s streams, child bool) (context.Context, context.CancelFunc) {
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	if child {
		go func() {
			_, _ = io.Copy(io.Discard, s.in)
			cancel()
		}()
	}
	return ctx, cancel
}

type mockOptions struct {
	config, listen, admin, adminTokenFile string
	seed                                  uint64
	median, p99                           unit.Duration
	echo, child                           bool
}

func newServeMockCmd(s streams) *cobra.Command {
	var o mockOptions
	cmd := &cobra.Command{
		Use:   "mockllm",
		Short: "Run the mock LLM: OpenAI-shaped, with scheduled latency and faults",
		Long: `Run the mock LLM. Point any application at its URL instead of the real model's.
Settings come from --config (YAML or JSON, the fields of docs/mockllm.md), then flags.`,
		Example: `  cstest serve mockllm --listen 127.0.0.1:9000 --latency-median 110ms --latency-p99 320ms
  cstest serve mockllm --config mock.yaml`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serveMock(cmd.Context(), s, o, cmd.Flags().Changed)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "YAML or JSON file with the settings")
	f.StringVar(&o.listen, "listen", "127.0.0.1:9000", "address of the API")
	f.StringVar(&o.admin, "admin", "127.0.0.1:9001", "address of the admin API")
	f.StringVar(&o.adminTokenFile, "admin-token-file", "", "file with the admin API's bearer token (needed beyond loopback)")
	f.Uint64Var(&o.seed, "seed", 1, "what every latency and fault derives from")
	f.Var(textFlag(&o.median), "latency-median", "median of the log-normal latency")
	f.Var(textFlag(&o.p99), "latency-p99", "99th percentile of the log-normal latency")
	f.BoolVar(&o.echo, "echo-context", false, "append the canaries seen in the prompt to every answer")
	childFlag(cmd, &o.child)
	return cmd
}

func childFlag(cmd *cobra.Command, child *bool) {
	cmd.Flags().BoolVar(child, "exit-with-stdin", false, "end when standard input does")
	_ = cmd.Flags().MarkHidden("exit-with-stdin") // it exists: it was just added
}

func serveMock(ctx context.Context, s streams, o mockOptions, set func(string) bool) error {
	var cfg mockllm.Config
	if o.config != "" {
		b, err := os.ReadFile(o.config)
		if err != nil {
			return usageError{err}
		}
		js, err := scenario.JSON(o.config, b)
		if err != nil {
			return err
		}
		if cfg, err = mockllm.ParseConfig(js); err != nil {
			return usagef("%s: %w", o.config, err)
		}
	}
	if cfg.Listen == "" || set("listen") {
		cfg.Listen = o.listen
	}
	if cfg.AdminListen == "" || set("admin") {
		cfg.AdminListen = o.admin
	}
	if cfg.Seed == 0 || set("seed") {
		cfg.Seed = o.seed
	}
	if o.median > 0 || o.p99 > 0 {
		cfg.Latency = mockllm.LogNormal(o.median.D(), o.p99.D())
	}
	cfg.EchoContext = cfg.EchoContext || o.echo
	if o.adminTokenFile != "" {
		token, err := readSecret(o.adminTokenFile)
		if err != nil {
			return err
		}
		cfg.AdminToken = token
	}
	if err := cfg.Validate(); err != nil {
		return usageError{err}
	}
	ctx, cancel := untilAsked(ctx, s, o.child)
	defer cancel()
	server, err := mockllm.Start(cfg)
	if err != nil {
		return err
	}
	if err := announce(s, ready{"mockllm", server.URL(), server.AdminURL(), os.Getpid()}); err != nil {
		return err
	}
	<-ctx.Done()
	end, stop := context.WithTimeout(context.Background(), drainWithin)
	defer stop()
	return server.Shutdown(end)
}

type referenceOptions struct {
	cfg              refserver.Config
	knobs, jwtKeys   []string
	files            secretFiles
	listKnobs, child bool
}

// secretFiles are the files that hold secrets; empty: there is none.
type secretFiles struct{ jwt, id, llm, admin string }

func newServeReferenceCmd(s streams) *cobra.Command {
	var o referenceOptions
	cmd := &cobra.Command{
		Use:   "reference-server",
		Short: "Run the bundled chat server: Redis state, an LLM, degradation tiers",
		Long: `Run the bundled chat server. It needs an LLM (--llm URL; cstest serve mockllm is one)
and a JWT secret of 32 bytes or more in --jwt-secret-file or CSTEST_JWT_SECRET, or --dev.
With several (--jwt-key) old tokens stay good while new ones are signed with another;
--id-key-file then keeps dialogs known when a key is retired.`,
		Example: `  cstest serve reference-server --llm http://127.0.0.1:9000 --dev
  cstest serve reference-server --list-knobs`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serveReference(cmd.Context(), s, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.cfg.Listen, "listen", "127.0.0.1:8000", "public address")
	f.StringVar(&o.cfg.AdminListen, "admin", "127.0.0.1:8001", "admin address")
	f.StringVar(&o.cfg.LLM, "llm", "", "base URL of the LLM")
	f.StringVar(&o.cfg.Redis, "redis", "embedded", "redis:// URL, or embedded")
	f.StringVar(&o.cfg.Profile, "profile", "hardened", strings.Join(refserver.Profiles(), " | "))
	f.StringArrayVar(&o.knobs, "knob", nil, "NAME=VALUE, may be repeated (see --list-knobs)")
	f.BoolVar(&o.cfg.ReusePort, "reuse-port", false, "share the public port with other processes that have this flag, the same --redis and the same secrets (Linux)")
	f.BoolVar(&o.cfg.H2C, "h2c", false, "accept HTTP/2 in clear text too")
	f.BoolVar(&o.cfg.Dev, "dev", false, "on loopback only: a fixed secret and POST /dev/token")
	f.StringVar(&o.files.jwt, "jwt-secret-file", "", "file with the JWT secret, whose key id is k1")
	f.StringArrayVar(&o.jwtKeys, "jwt-key", nil, "KID=FILE, a JWT secret by its key id; may be repeated")
	f.StringVar(&o.files.id, "id-key-file", "", "file with the key of the MACs in ids (needed with several JWT secrets)")
	f.StringVar(&o.files.llm, "llm-key-file", "", "file with the bearer token that is sent to the LLM")
	f.StringVar(&o.files.admin, "admin-token-file", "", "file with the admin API's bearer token (needed beyond loopback)")
	f.StringVar(&o.cfg.TLSCert, "tls-cert", "", "PEM certificate; with --tls-key the public side speaks TLS")
	f.StringVar(&o.cfg.TLSKey, "tls-key", "", "PEM key")
	f.BoolVar(&o.cfg.Pprof, "pprof", false, "serve profiles of the process under /debug/pprof/ of the admin address")
	f.BoolVar(&o.listKnobs, "list-knobs", false, "list every knob with unit, default and meaning")
	childFlag(cmd, &o.child)
	return cmd
}

func serveReference(ctx context.Context, s streams, o referenceOptions) error {
	if o.listKnobs {
		return listKnobs(s.out, s.language())
	}
	cfg := o.cfg
	cfg.Log = s.err
	knobs, err := pairs("knob", o.knobs)
	if err != nil {
		return err
	}
	cfg.Knobs = knobs
	if cfg.LLM == "" {
		return usagef("reference-server needs --llm URL, for example of: cstest serve mockllm")
	}
	if err := readReferenceSecrets(&cfg, o); err != nil {
		return err
	}
	ctx, cancel := untilAsked(ctx, s, o.child)
	defer cancel()
	server, err := refserver.Start(context.WithoutCancel(ctx), cfg)
	if err != nil {
		return usageError{err}
	}
	if err := announce(s, ready{"reference-server", server.URL(), server.AdminURL(), os.Getpid()}); err != nil {
		return err
	}
	<-ctx.Done()
	end, stop := context.WithTimeout(context.Background(), drainWithin)
	defer stop()
	return server.Close(end)
}

// firstKid is the key id of a JWT secret that is given without one.
const firstKid = "k1"

// readReferenceSecrets reads the secrets that the flags name.
func readReferenceSecrets(cfg *refserver.Config, o referenceOptions) error {
	ring, err := pairs("jwt-key", o.jwtKeys)
	if err != nil {
		return err
	}
	if o.files.jwt != "" {
		if _, twice := ring[firstKid]; twice {
			return usagef("--jwt-key %s: --jwt-secret-file gives that key", firstKid)
		}
		ring[firstKid] = o.files.jwt
	}
	cfg.Secrets = map[string]refserver.Secret{}
	if secret := os.Getenv("CSTEST_JWT_SECRET"); secret != "" && len(ring) == 0 {
		cfg.Secrets[firstKid] = refserver.Secret(secret)
	}
	for kid, path := range ring {
		secret, err := readSecret(path)
		if err != nil {
			return err
		}
		cfg.Secrets[kid] = refserver.Secret(secret)
	}
	for _, f := range []struct {
		path string
		to   *refserver.Secret
	}{{o.files.id, &cfg.IDKey}, {o.files.llm, &cfg.LLMKey}, {o.files.admin, &cfg.AdminToken}} {
		if f.path == "" {
			continue
		}
		secret, err := readSecret(f.path)
		if err != nil {
			return err
		}
		*f.to = refserver.Secret(secret)
	}
	return nil
}

func announce(s streams, r ready) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s\n", b)
	return err
}

func listKnobs(w io.Writer, lang reason.Lang) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, reason.Say("KNOB\tUNIT\tDEFAULT\tLIVE\tMEANING").Text(lang))
	for _, k := range refserver.Knobs() {
		live := reason.Say("no")
		if k.Live {
			live = reason.Say("yes")
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", k.Name, k.Unit, k.Default, live.Text(lang), k.About)
	}
	return tw.Flush()
}
