package inspect

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/view/cost"
)

// costAnswer is the answer of /_culvert/cost.
type costAnswer struct {
	cost.Statement
	Counted []counted `json:"counted,omitempty"` // of measured traffic: what it was attributed from
	// For people: the ways, the bill as it is, the services and whose traffic it is.
	Table        cost.Table `json:"table"`
	Lines        cost.Table `json:"lines"`
	ServiceTable cost.Table `json:"serviceTable"`
	FlowTable    cost.Table `json:"flowTable"`
}

// costFiles are the user's own prices and traffic, as files that the caller has read.
type costFiles struct {
	Prices  string `json:"prices"`
	Traffic string `json:"traffic"`
}

// The most that a request may bring along.
const maxFiles = 32 << 20

// readFiles reads what a request brings along, if anything.
func readFiles(r *http.Request, into any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxFiles+1))
	if err != nil {
		return badRequest("read the request: %v", err)
	}
	if len(body) > maxFiles {
		return badRequest("the files are larger than %d bytes together", maxFiles)
	}
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return badRequest("read the request: %v", err)
	}
	return nil
}

// cost says what the region would cost a month on AWS, as it is and by the other roads. gb= says how much traffic
// to suppose, and a traffic file says it in detail; without them what has been counted since the region started is
// taken for a month's, or extrapolated to the time of scale=.
func (c *Config) cost(r *http.Request) (any, error) {
	var files costFiles
	if err := readFiles(r, &files); err != nil {
		return nil, err
	}
	table, err := cost.EmbeddedPrices()
	if err != nil {
		return nil, err
	}
	if files.Prices != "" {
		if table, err = cost.ParsePrices([]byte(files.Prices)); err != nil {
			return nil, badRequest("%v", err)
		}
	}
	in := c.inventory(c.Topology())
	counts, said, err := c.monthly(r.Context(), &in, r.URL.Query(), files.Traffic)
	if err != nil {
		return nil, err
	}
	statement, err := cost.Assess(in, table, said, time.Now())
	if err != nil {
		return nil, badRequest("%v", err)
	}
	return costAnswer{statement, counts, statement.Table(), statement.Lines(), statement.ServiceTable(), statement.FlowTable()}, nil
}

// monthly fills in a month's traffic, and says where it comes from.
func (c *Config) monthly(ctx context.Context, in *cost.Inventory, q url.Values, file string) (counts []counted, said string, err error) {
	gb, scale := q.Get("gb"), q.Get("scale")
	if (gb != "") && (file != "") || (scale != "") && (gb+file != "") {
		return nil, "", badRequest("traffic comes from one place: gb, a traffic file, or what was counted and its scale")
	}
	switch {
	case gb != "":
		said, err = supposed(in, gb)
		return nil, said, err
	case file != "":
		said, err = fromFile(in, file)
		return nil, said, err
	}
	measured := time.Since(c.Info.Started)
	if in.Flows, counts, err = c.measure(ctx); err != nil {
		return nil, "", err
	}
	unknown := unattributed(counts)
	said = fmt.Sprintf("what was counted in the %s since the region started, taken for a month's and not extrapolated", measured.Round(time.Second)) + unknown
	if scale == "" {
		return counts, said, nil
	}
	to, err := days(scale)
	if err != nil {
		return nil, "", badRequest("scale %q is neither a number of days such as 30d nor a time such as 12h", scale)
	}
	if in.Flows, err = cost.Scaled(in.Flows, measured, to); err != nil {
		return nil, "", badRequest("%v", err)
	}
	said = fmt.Sprintf("what was counted in the %s since the region started, extrapolated to %s: %.6g times as much", measured.Round(time.Second), scale, float64(to)/float64(measured))
	return counts, said + unknown, nil
}

// unattributed says what was counted and is nobody's of this VPC; empty: nothing.
func unattributed(counts []counted) string {
	s := ""
	for _, c := range counts {
		if c.Difference != 0 {
			s += fmt.Sprintf("; %s counted %d bytes, of which %d are attributed to functions and instances", c.ID, c.Counted, c.Attributed)
		}
	}
	return s
}

func supposed(in *cost.Inventory, gb string) (string, error) {
	v, err := strconv.ParseFloat(gb, 64)
	if err != nil {
		return "", badRequest("gb %q is not a number", gb)
	}
	if *in, err = in.Spread(v); err != nil {
		return "", badRequest("%v", err)
	}
	return gb + " GB a month, spread evenly over what carries it", nil
}

func fromFile(in *cost.Inventory, file string) (string, error) {
	u, err := cost.ParseUsage([]byte(file))
	if err != nil {
		return "", badRequest("%v", err)
	}
	with, ignored, err := in.With(u)
	if err != nil {
		return "", badRequest("%v", err)
	}
	*in = with
	said := "as the traffic file says"
	if len(ignored) > 0 {
		said += ", of which these are not priced here: " + strings.Join(ignored, ", ")
	}
	return said, nil
}

// days reads a time that may be in days.
func days(s string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		d, err := strconv.ParseFloat(n, 64)
		if err != nil || !(d > 0 && d <= 3660) {
			return 0, fmt.Errorf("%q days", n)
		}
		return time.Duration(d * 24 * float64(time.Hour)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("no time: %q", s)
	}
	return d, nil
}

// counted compares what flows were attributed to a gateway or endpoint with what its own counters say.
type counted struct {
	ID         string `json:"id"`
	Attributed uint64 `json:"attributedBytes"`
	Counted    uint64 `json:"countedBytes"`
	Difference int64  `json:"difference"`
}

func compared(flows []cost.Flow, byID map[string]uint64) []counted {
	attributed := map[string]uint64{}
	for _, f := range flows {
		attributed[f.Via] += f.Out + f.In
	}
	out := []counted{}
	for id, n := range byID {
		out = append(out, counted{id, attributed[id], n, int64(attributed[id]) - int64(n)})
	}
	slices.SortFunc(out, func(a, b counted) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
