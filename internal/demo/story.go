package demo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/operator"
	"github.com/culvert-cloud/culvert/internal/view/cost"
)

// Options are what a user may choose.
type Options struct {
	Runtime        string
	TimeoutSeconds int
	GBPerMonth     float64
	Samples        int
	Pictures       string // directory for pictures of both roads; empty: none
	JSON           bool
	Colour         bool
	Out            io.Writer
	// Endpoint is the URL of an empty region; Region and Account are its.
	Endpoint, Region, Account string
	// Ready is how long the region took to be ready; Rootless how it runs.
	Ready    time.Duration
	Rootless bool
}

// Result is the whole story as data.
type Result struct {
	Region  string  `json:"region"`
	Runtime string  `json:"runtime"`
	Stages  []Stage `json:"stages"`
	Roads   []Road  `json:"roads"`
	Price   Price   `json:"price"`
	// OwnMS is the time spent, the intended timeouts and the measuring not counted.
	OwnMS int64 `json:"ownMs"`
	// Pictures are the files that were written.
	Pictures []string `json:"pictures,omitempty"`
	OK       bool     `json:"ok"`
}

// Stage is one invocation and its explanation.
type Stage struct {
	Title         string `json:"title"`
	MustTimeOut   bool   `json:"mustTimeOut"`
	Payload       string `json:"payload"`
	FunctionError string `json:"functionError,omitempty"`
	Report        string `json:"report"`
	Why           Why    `json:"why"`
	OK            bool   `json:"ok"`
}

// Why is the region's explanation: GET /_culvert/why.
type Why struct {
	Reachable bool     `json:"reachable"`
	Code      string   `json:"code,omitempty"`
	Summary   string   `json:"summary"`
	Remedies  []Remedy `json:"remedies,omitempty"`
}

// Remedy is one change that helps.
type Remedy struct {
	Text      string `json:"text"`
	Terraform string `json:"terraform,omitempty"`
	CLI       string `json:"cli,omitempty"`
}

// Road is one way to S3, measured.
type Road struct {
	Name                   string  `json:"name"`
	ColdP50                int64   `json:"coldP50Us"`
	WarmP50                int64   `json:"warmP50Us"`
	Requests               int     `json:"requests"`
	InternetGatewayPackets uint64  `json:"internetGatewayPackets"`
	NATGatewayBytes        uint64  `json:"natGatewayBytes"`
	MonthlyUSD             float64 `json:"monthlyUsd"`
}

// Price says what the monthly prices stand for.
type Price struct {
	GBPerMonth       float64 `json:"gbPerMonth"`
	PricesOf         string  `json:"pricesOf"`
	GatewayUSD       float64 `json:"gatewayEndpointMonthlyUsd"`
	BreakEvenGB      float64 `json:"breakEvenGb"`
	BreakEvenExplain string  `json:"breakEvenExplanation"`
}

// gateways are the region's counters: GET /_culvert/stats.
type gateways struct {
	InternetGateways map[string]counters `json:"internetGateways"`
	NATGateways      map[string]counters `json:"natGateways"`
}

type counters struct {
	OutPackets uint64 `json:"outPackets"`
	OutBytes   uint64 `json:"outBytes"`
	InPackets  uint64 `json:"inPackets"`
	InBytes    uint64 `json:"inBytes"`
}

// story is a run under way.
type story struct {
	client  *operator.Client
	options Options
	suffix  string
	network network
	print   printer
	result  Result
	waited  time.Duration // in intended timeouts and measuring
}

// Run tells the story in an empty region. It returns false if a stage did not end as it must, and an error if
// the story could not go on.
func Run(ctx context.Context, o Options) (bool, error) {
	suffix := make([]byte, 4)
	_, _ = rand.Read(suffix) // never fails: see crypto/rand
	s := &story{
		client: &operator.Client{Endpoint: o.Endpoint, Region: o.Region}, options: o, suffix: hex.EncodeToString(suffix),
		print: printer{w: o.Out, colour: o.Colour}, result: Result{Region: o.Region, Runtime: o.Runtime, OK: true},
	}
	if o.JSON {
		s.print.w = io.Discard
	}
	start := time.Now()
	if err := s.tell(ctx); err != nil {
		return false, err
	}
	s.result.OwnMS = (time.Since(start) - s.waited).Milliseconds()
	s.print.end(s.result)
	if o.JSON {
		e := json.NewEncoder(o.Out)
		e.SetIndent("", "  ")
		return s.result.OK, e.Encode(s.result)
	}
	return s.result.OK, nil
}

func (s *story) tell(ctx context.Context) error {
	s.print.opening(s.options)
	if err := s.build(ctx); err != nil {
		return err
	}
	s.print.built(s.network, s.options)
	if err := s.stage(ctx, "No endpoint: nothing leads out of the subnet", true); err != nil {
		return err
	}
	if err := s.addEndpoint(ctx); err != nil {
		return err
	}
	if err := s.stage(ctx, "An interface endpoint, private DNS off (the article as printed)", true); err != nil {
		return err
	}
	if err := s.enablePrivateDNS(ctx); err != nil {
		return err
	}
	if err := s.stage(ctx, "The same endpoint, private DNS on", false); err != nil {
		return err
	}
	if err := s.road(ctx, "interface endpoint"); err != nil {
		return err
	}
	if err := s.picture(ctx, "with-vpc-endpoint", "With a VPC endpoint"); err != nil {
		return err
	}
	if err := s.replaceByNATGateway(ctx); err != nil {
		return err
	}
	if err := s.stage(ctx, "The road not taken: a NAT gateway instead of the endpoint", false); err != nil {
		return err
	}
	if err := s.road(ctx, "NAT gateway"); err != nil {
		return err
	}
	if err := s.picture(ctx, "without-vpc-endpoint", "Without a VPC endpoint"); err != nil {
		return err
	}
	return s.price()
}

// price says what each road costs on AWS for the user's traffic.
func (s *story) price() error {
	c, err := cost.Compare(s.options.Region, cost.Traffic{GB: s.options.GBPerMonth, Zones: 1, NATGateways: 1})
	if err != nil {
		return err
	}
	nat, endpoint, gateway := c.Roads[0].USD.Dollars(), c.Roads[1].USD.Dollars(), c.Roads[2].USD.Dollars()
	s.result.Roads[0].MonthlyUSD, s.result.Roads[1].MonthlyUSD = endpoint, nat
	s.result.Price = Price{
		GBPerMonth: s.options.GBPerMonth, PricesOf: c.Region, GatewayUSD: gateway, BreakEvenGB: c.BreakEvenGB,
		BreakEvenExplain: breakEven(c),
	}
	return nil
}

func breakEven(c cost.Comparison) string {
	instead := "from the first byte"
	if c.BreakEvenWithoutNATGB > 0 {
		instead = fmt.Sprintf("from %.1f GB a month", c.BreakEvenWithoutNATGB)
	}
	return fmt.Sprintf("The endpoint pays %s if the NAT gateway goes, and from %.1f GB a month if it must stay for other traffic.", instead, c.BreakEvenGB)
}

// stage invokes the function once and compares what happened with what must.
func (s *story) stage(ctx context.Context, title string, mustTimeOut bool) error {
	s.print.title(len(s.result.Stages)+1, title)
	start := time.Now()
	got, err := s.client.Invoke(ctx, functionName, []byte("{}"))
	if err != nil {
		return err
	}
	if mustTimeOut {
		s.waited += time.Since(start)
	}
	st := Stage{Title: title, MustTimeOut: mustTimeOut, Payload: got.Payload, FunctionError: got.FunctionError, Report: got.Report()}
	if err := s.client.Inspect(ctx, "why", url.Values{"function": {functionName}, "service": {"s3"}}, &st.Why); err != nil {
		return err
	}
	timedOut := strings.Contains(got.Payload, "Task timed out after") && got.FunctionError == "Unhandled"
	succeeded := got.FunctionError == "" && strings.Contains(got.Payload, "Sample Metadata")
	st.OK = timedOut == mustTimeOut && succeeded == !mustTimeOut && st.Why.Reachable == !mustTimeOut
	s.result.OK = s.result.OK && st.OK
	s.result.Stages = append(s.result.Stages, st)
	s.print.stage(st)
	return nil
}

// road measures the way that is open now, from inside the function.
func (s *story) road(ctx context.Context, name string) error {
	start := time.Now()
	defer func() { s.waited += time.Since(start) }()
	before, err := s.stats(ctx)
	if err != nil {
		return err
	}
	r := Road{Name: name}
	// The function has a timeout: ask for a few at a time, so that a slow machine measures too.
	const portion = 10
	var all timings
	for len(all.Cold) < s.options.Samples {
		var part timings
		ask := fmt.Sprintf(`{"measure":%d}`, min(portion, s.options.Samples-len(all.Cold)))
		got, err := s.client.Invoke(ctx, functionName, []byte(ask))
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(got.Payload), &part); err != nil || len(part.Cold) == 0 {
			return fmt.Errorf("measure the %s: the function answered %s", name, got.Payload)
		}
		all.Cold, all.Warm = append(all.Cold, part.Cold...), append(all.Warm, part.Warm...)
	}
	after, err := s.stats(ctx)
	if err != nil {
		return err
	}
	r.ColdP50, r.WarmP50, r.Requests = median(all.Cold), median(all.Warm), len(all.Cold)+len(all.Warm)
	igw, nat := after.InternetGateways[s.network.InternetGateway], after.NATGateways[s.network.NATGateway]
	igw0, nat0 := before.InternetGateways[s.network.InternetGateway], before.NATGateways[s.network.NATGateway]
	r.InternetGatewayPackets = igw.OutPackets + igw.InPackets - igw0.OutPackets - igw0.InPackets
	r.NATGatewayBytes = nat.OutBytes + nat.InBytes - nat0.OutBytes - nat0.InBytes
	viaInternet := s.network.NATGateway != ""
	s.result.OK = s.result.OK && (r.InternetGatewayPackets > 0) == viaInternet && (r.NATGatewayBytes > 0) == viaInternet
	s.result.Roads = append(s.result.Roads, r)
	return nil
}

func (s *story) stats(ctx context.Context) (gateways, error) {
	var g gateways
	return g, s.client.Inspect(ctx, "stats", nil, &g)
}

func median(v []int64) int64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}
