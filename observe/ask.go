package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// mostBody is how much of an answer is read.
const mostBody = 8 << 20

// ask gives the figure as it is now.
func (f *figure) ask(ctx context.Context) (float64, error) {
	address, read := f.URL, f.scraped
	if f.PromQL != "" {
		address, read = strings.TrimSuffix(f.URL, "/")+"/api/v1/query?"+url.Values{"query": {f.PromQL}}.Encode(), queried
	}
	body, err := f.get(ctx, address)
	if err != nil {
		return 0, err
	}
	v, err := read(body)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = fmt.Errorf("the value is %v", v)
	}
	return v, err
}

func (f *figure) get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if f.Metric != "" {
		req.Header.Set("Accept", "text/plain;version=0.0.4")
	}
	for name, value := range f.headers {
		req.Header.Set(name, value)
	}
	res, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() // it is only read from
	body, err := io.ReadAll(io.LimitReader(res.Body, mostBody+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > mostBody:
		return nil, fmt.Errorf("%s answers with more than %d MiB", f.URL, mostBody>>20)
	case res.StatusCode != http.StatusOK && f.PromQL == "":
		return nil, fmt.Errorf("%s answers %s", f.URL, res.Status)
	case res.StatusCode != http.StatusOK && !json.Valid(body):
		return nil, fmt.Errorf("%s answers %s", f.URL, res.Status)
	}
	return body, nil
}

// queried reads Prometheus' answer to an instant query: a scalar, or a vector of one.
func queried(body []byte) (float64, error) {
	var answer struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   struct {
			Type   string          `json:"resultType"`
			Result json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, fmt.Errorf("not an answer of Prometheus: %w", err)
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("Prometheus says: %.200s", answer.Error) //nolint:staticcheck // its name has a capital
	}
	var value [2]any
	switch answer.Data.Type {
	case "scalar":
		if err := json.Unmarshal(answer.Data.Result, &value); err != nil {
			return 0, err
		}
	case "vector":
		var list []struct {
			Value [2]any `json:"value"`
		}
		if err := json.Unmarshal(answer.Data.Result, &list); err != nil {
			return 0, err
		}
		if len(list) != 1 {
			return 0, fmt.Errorf("the expression gives %d series, not one: sum() them, or take one", len(list))
		}
		value = list[0].Value
	default:
		return 0, fmt.Errorf("the expression gives a %.20s, not one value", answer.Data.Type)
	}
	text, _ := value[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("the value is %.40q", text)
	}
	return v, nil
}

// scraped adds up the series of the metric that have the labels.
func (f *figure) scraped(body []byte) (float64, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("%s is not in the Prometheus text format: %w", f.URL, err)
	}
	sum, found := 0.0, false
	for _, of := range []struct {
		name  string
		value func(*dto.Metric) (float64, bool)
	}{{f.Metric, single}, {strings.TrimSuffix(f.Metric, "_count"), counted}, {strings.TrimSuffix(f.Metric, "_sum"), summed}} {
		family := families[of.name]
		if family == nil || found {
			continue
		}
		for _, m := range family.Metric {
			if v, ok := of.value(m); ok && f.matches(m) {
				sum, found = sum+v, true
			}
		}
	}
	if !found {
		return 0, fmt.Errorf("%s has no series %s with these labels", f.URL, f.Metric)
	}
	return sum, nil
}

func (f *figure) matches(m *dto.Metric) bool {
	n := 0
	for _, l := range m.Label {
		if want, asked := f.Labels[l.GetName()]; asked {
			if want != l.GetValue() {
				return false
			}
			n++
		}
	}
	return n == len(f.Labels)
}

// single is the value of a series that has one.
func single(m *dto.Metric) (float64, bool) {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue(), true
	case m.Gauge != nil:
		return m.Gauge.GetValue(), true
	case m.Untyped != nil:
		return m.Untyped.GetValue(), true
	}
	return 0, false
}

// counted is how many values a histogram or summary holds, summed their sum.
func counted(m *dto.Metric) (float64, bool) {
	switch {
	case m.Histogram != nil:
		return float64(m.Histogram.GetSampleCount()), true
	case m.Summary != nil:
		return float64(m.Summary.GetSampleCount()), true
	}
	return 0, false
}

func summed(m *dto.Metric) (float64, bool) {
	switch {
	case m.Histogram != nil:
		return m.Histogram.GetSampleSum(), true
	case m.Summary != nil:
		return m.Summary.GetSampleSum(), true
	}
	return 0, false
}
