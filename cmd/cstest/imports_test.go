package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/cstest/cstest/"

// house is the import graph: what each package may import of ours, besides
// unit and reason, which are open to all. It reads scenario → load → measure → sla → result → report,
// with no way back.
var house = map[string][]string{
	"unit":                       {},
	"reason":                     {},
	"visible":                    {},
	"internal/redistest":         {},
	"scenario":                   {"template", "visible"},
	"scenarios":                  {},
	"scripts/mutate":             {},
	"scripts/release":            {},
	"scripts/image":              {},
	"bench/known":                {},
	"measure":                    {},
	"measure/hdrlog":             {"measure"},
	"mockllm":                    {"mockllm/config", "mockllm/internal/admission", "mockllm/internal/answer", "mockllm/internal/anthropic", "mockllm/internal/canary", "mockllm/internal/draw", "mockllm/internal/fault", "mockllm/internal/jsontext", "mockllm/internal/openai", "mockllm/internal/prompt", "mockllm/internal/schema", "mockllm/internal/token", "mockllm/internal/transport", "mockllm/journal"},
	"mockllm/config":             {},
	"mockllm/journal":            {"mockllm/config", "mockllm/internal/canary", "mockllm/internal/draw", "mockllm/internal/fault", "mockllm/internal/prompt"},
	"mockllm/internal/admission": {"mockllm/config", "mockllm/internal/transport"},
	"mockllm/internal/answer":    {"mockllm/config", "mockllm/internal/token"},
	"mockllm/internal/anthropic": {"mockllm/internal/jsontext", "mockllm/internal/prompt"},
	"mockllm/internal/canary":    {},
	"mockllm/internal/draw":      {"mockllm/config"},
	"mockllm/internal/fault":     {"mockllm/config", "mockllm/internal/draw"},
	"mockllm/internal/jsontext":  {},
	"mockllm/internal/openai":    {"mockllm/internal/draw", "mockllm/internal/jsontext", "mockllm/internal/prompt"},
	"mockllm/internal/prompt":    {"mockllm/config", "mockllm/internal/canary", "mockllm/internal/jsontext", "mockllm/internal/token"},
	"mockllm/internal/schema":    {"mockllm/internal/jsontext"},
	"mockllm/internal/token":     {},
	"mockllm/internal/transport": {},
	"reference-server":           {"reference-server/admin", "reference-server/admission", "reference-server/answer", "reference-server/backflow", "reference-server/chat", "reference-server/customer", "reference-server/degrade", "reference-server/desk", "reference-server/dialog", "reference-server/front", "reference-server/gray", "reference-server/jobs", "reference-server/knobs", "reference-server/model", "reference-server/quota", "reference-server/surface", "reference-server/token", "reference-server/trace"},
	"reference-server/admin":     {"reference-server/admission", "reference-server/answer", "reference-server/backflow", "reference-server/chat", "reference-server/degrade", "reference-server/desk", "reference-server/dialog", "reference-server/gray", "reference-server/knobs", "reference-server/model", "reference-server/problem", "reference-server/quota", "reference-server/routes", "reference-server/trace", "reference-server/wire"},
	"reference-server/backflow":  {"reference-server/dialog", "reference-server/wire"},
	"reference-server/chat":      {"reference-server/admission", "reference-server/answer", "reference-server/backflow", "reference-server/degrade", "reference-server/desk", "reference-server/dialog", "reference-server/gray", "reference-server/jobs", "reference-server/knobs", "reference-server/model", "reference-server/pii", "reference-server/trace", "reference-server/wire"},
	"reference-server/front":     {},
	"reference-server/gray":      {"reference-server/knobs", "reference-server/wire"},
	"reference-server/knobs":     {},
	"reference-server/problem":   {"reference-server/wire"},
	"reference-server/quota":     {"reference-server/dialog"},
	"reference-server/routes":    {"reference-server/problem"},
	"reference-server/surface":   {"reference-server/backflow", "reference-server/chat", "reference-server/customer", "reference-server/desk", "reference-server/dialog", "reference-server/jobs", "reference-server/knobs", "reference-server/problem", "reference-server/quota", "reference-server/routes", "reference-server/token", "reference-server/trace", "reference-server/wire", "reference-server/ws"},
	"reference-server/token":     {"reference-server/dialog", "reference-server/wire"},
	"reference-server/admission": {},
	"reference-server/answer":    {},
	"reference-server/degrade":   {"reference-server/model"},
	"reference-server/desk":      {"reference-server/dialog", "reference-server/wire", "reference-server/ws"},
	"reference-server/customer":  {"reference-server/dialog", "reference-server/quota", "reference-server/ws"},
	"reference-server/ws":        {},
	"reference-server/dialog":    {"reference-server/wire"},
	"reference-server/jobs":      {"reference-server/dialog", "reference-server/wire"},
	"reference-server/model":     {"reference-server/trace", "reference-server/wire"},
	"reference-server/trace":     {},
	"reference-server/wire":      {},
	"reference-server/pii":       {},
	"template":                   {},
	"derive":                     {"reason"},
	"learn":                      {"reference-server/pii", "template"},
	"usage":                      {},
	"driver":                     {"driver/internal/agents", "driver/internal/dial", "driver/internal/find", "driver/internal/http1", "driver/internal/http2", "driver/internal/jsonscan", "driver/internal/ndjson", "driver/internal/socket", "driver/internal/socketio", "driver/internal/sse", "driver/internal/websocket", "driver/internal/wire", "scenario", "template"},
	"driver/internal/agents":     {"driver/internal/jsonscan", "driver/internal/websocket", "driver/internal/wire", "scenario", "template"},
	"driver/internal/dial":       {"scenario"},
	"driver/internal/find":       {"driver/internal/jsonscan", "driver/internal/wire", "scenario"},
	"driver/internal/ndjson":     {},
	"driver/internal/http1":      {"driver/internal/dial", "driver/internal/wire", "scenario", "template"},
	"driver/internal/http2":      {"driver/internal/wire", "scenario", "template"},
	"driver/internal/jsonscan":   {},
	"driver/internal/socket":     {"driver/internal/http1", "driver/internal/socketio", "driver/internal/websocket", "driver/internal/wire"},
	"driver/internal/socketio":   {"template"},
	"driver/internal/sse":        {},
	"driver/internal/websocket":  {},
	"driver/internal/wire":       {"scenario", "template"},
	"load":                       {"driver", "measure", "scenario", "template", "usage"},
	"sla":                        {"measure", "scenario"},
	"tui":                        {"sla", "measure", "scenario"},
	"result":                     {"sla", "measure", "measure/hdrlog", "scenario"},
	"report":                     {"report/ci", "report/directory", "report/escape", "report/internal/facts", "report/internal/figure", "report/internal/markdown", "report/internal/markup", "report/internal/terminal", "report/internal/webpage", "report/internal/words", "result", "measure", "scenario"},
	"report/capacities":          {"capacity", "report/directory", "report/escape", "report/internal/figure", "report/internal/markdown", "report/internal/terminal", "report/internal/webpage", "report/internal/words"},
	"report/ci":                  {"report/directory", "report/escape", "report/internal/figure", "report/internal/markdown", "report/internal/words", "result"},
	"report/comparisons":         {"report/escape", "report/internal/figure", "report/internal/markdown", "report/internal/terminal", "report/internal/words", "result"},
	"report/directory":           {"report/escape", "result"},
	"report/escape":              {"visible"},
	"report/experiments":         {"report/directory", "report/escape", "report/internal/figure", "report/internal/markdown", "report/internal/terminal", "report/internal/webpage", "report/internal/words", "tune"},
	"report/histograms":          {"measure", "measure/hdrlog", "report/directory", "report/escape", "report/internal/figure", "result"},
	"report/internal/facts":      {"report/escape", "report/internal/figure", "report/internal/words", "result", "scenario"},
	"report/internal/figure":     {"report/internal/words", "result"},
	"report/internal/markdown":   {"report/escape"},
	"report/internal/markup":     {},
	"report/internal/reporttest": {"report/escape", "report/internal/webpage", "result", "visible"},
	"report/internal/terminal":   {"report/escape"},
	"report/internal/webpage":    {"report/escape", "report/internal/markup", "report/internal/words"},
	"report/internal/words":      {"report/escape"},
	"report/pools":               {"pool", "report/escape", "report/internal/figure", "report/internal/markdown", "report/internal/terminal", "report/internal/webpage", "report/internal/words", "result"},
	"report/redact":              {},
	"report/trends":              {"report/escape", "report/internal/figure", "report/internal/markdown", "report/internal/terminal", "report/internal/webpage", "report/internal/words", "trend"},
	"capacity":                   {"result", "scenario"},
	"engine":                     {"result"},
	"engine/conduct":             {"engine", "load", "measure", "scenario", "trial", "trial/crew"},
	"engine/github":              {"scenario"},
	"engine/kubernetes":          {"engine", "engine/conduct", "engine/pack"},
	"engine/pack":                {"result", "scenario"},
	"engine/slurm":               {"engine/conduct"},
	"notify":                     {"report/escape", "result", "scenario"},
	"observe":                    {"measure", "scenario"},
	"output":                     {"load", "measure", "result"},
	"output/jsonl":               {"measure", "output", "result"},
	"output/otlp":                {"measure", "output", "result"},
	"output/prometheus":          {"output", "result"},
	"output/remotewrite":         {"output", "result"},
	"trend":                      {"result", "sla"},
	"pool":                       {"result", "sla", "scenario"},
	"tune":                       {"sla", "measure"},
	"trial":                      {"load", "driver", "measure", "observe", "result", "sla", "scenario", "template", "trial/crew", "trial/host", "trial/servers", "usage", "visible"},
	"trial/host":                 {"measure"},
	"selftest":                   {"load", "measure", "scenario", "trial", "trial/servers"},
	"trial/crew":                 {"load", "measure", "scenario", "trial/servers", "usage"},
	"trial/servers":              {"measure", "scenario"},
	"cmd/cstest": {
		"capacity",
		"derive",
		"driver",
		"engine",
		"engine/conduct",
		"engine/github",
		"engine/kubernetes",
		"engine/pack",
		"engine/slurm",
		"learn",
		"load",
		"measure",
		"mockllm",
		"notify",
		"output",
		"output/jsonl",
		"output/otlp",
		"output/prometheus",
		"output/remotewrite",
		"pool",
		"reference-server",
		"report",
		"report/capacities",
		"report/ci",
		"report/comparisons",
		"report/directory",
		"report/escape",
		"report/experiments",
		"report/histograms",
		"report/pools",
		"report/redact",
		"report/trends",
		"result",
		"scenario",
		"scenarios",
		"selftest",
		"sla",
		"trend",
		"trial",
		"trial/servers",
		"tui",
		"tune",
		"visible",
	},
}

// fences are the heavy dependencies, each the business of one package.
var fences = map[string]string{
	"github.com/spf13/cobra":     "cmd/cstest",
	"charm.land/":                "tui",
	"github.com/HdrHistogram/":   "measure measure/hdrlog",
	"go.yaml.in/yaml":            "scenario engine/kubernetes",
	"github.com/alicebob/":       "reference-server",
	"github.com/redis/":          "reference-server reference-server/backflow reference-server/degrade reference-server/desk reference-server/dialog reference-server/gray reference-server/jobs reference-server/token",
	"github.com/coder/websocket": "reference-server/customer reference-server/desk reference-server/ws",
	"github.com/valyala/":        "driver mockllm/internal/transport reference-server/model",
}

func TestImportGraph(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == "testdata" || name == "bin" || name == "results" || name == "node_modules" || strings.HasPrefix(name, ".") && name != ".." && path != "../..") {
			return filepath.SkipDir
		}
		if _, err := fs.Stat(os.DirFS(path), "go.mod"); d.IsDir() && path != "../.." && err == nil {
			return filepath.SkipDir // a module of its own
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		pkg, err := filepath.Rel("../..", filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg = filepath.ToSlash(pkg)
		seen[pkg] = true
		checkImports(t, path, pkg)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range house {
		if !seen[pkg] {
			t.Errorf("package %s of the house has no Go file", pkg)
		}
	}
}

func checkImports(t *testing.T, path, pkg string) {
	t.Helper()
	may, known := house[pkg]
	if !known {
		t.Errorf("%s: package %s is not in the house: give it a place in the table, or its lines another home", path, pkg)
		return
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if ours, ok := strings.CutPrefix(imported, module); ok && ours != "unit" && ours != "reason" && !slices.Contains(may, ours) {
			t.Errorf("%s: %s may not import %s", path, pkg, ours)
		}
		for prefix, owners := range fences {
			if strings.HasPrefix(imported, prefix) && !slices.Contains(strings.Fields(owners), pkg) {
				t.Errorf("%s: %s is the business of %s, not of %s", path, imported, owners, pkg)
			}
		}
	}
}
