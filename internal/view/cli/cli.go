package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// The exit statuses.
const (
	ExitOK         = 0
	ExitFailed     = 1 // the answer is no: unreachable, degraded, a demo stage that did not end as it must
	ExitUsage      = 2 // the question was wrong
	ExitNotRunning = 3 // no region answers
	// ExitInterrupted is what shells make of Ctrl-C.
	ExitInterrupted = 130
)

// DefaultListen is where a region listens unless told otherwise.
const DefaultListen = "127.0.0.1:4566"

// Config is what the program gives to its commands.
type Config struct {
	Version string
	// Up and Demo start a region in this process and return when it has ended.
	Up   func(context.Context, UpOptions) error
	Demo func(context.Context, DemoOptions) error
	// Preflight reports whether the data plane can run here.
	Preflight func(context.Context) error
}

// UpOptions are the flags of culvert up.
type UpOptions struct {
	Listen           string
	Data             string
	Ephemeral        bool
	Region           string
	AssumePrivateDNS bool
	AsyncRetryDelay  time.Duration
	DefaultVPC       bool
	Quotas           []string // name=value
	FlowLogInterval  time.Duration
	Verbose          bool
}

// DemoOptions are the flags of culvert demo.
type DemoOptions struct {
	Runtime        string
	TimeoutSeconds int
	GBPerMonth     float64
	Samples        int
	Pictures       string // directory; empty: none are written
	JSON           bool
	Out            io.Writer
	Colour         bool
}

// An exitError ends the program with a status and, if it has a message, prints it.
type exitError struct {
	status  int
	message string
}

func (e *exitError) Error() string { return e.message }

// Fail makes an error that ends the program with ExitFailed and prints nothing more.
func Fail() error { return &exitError{status: ExitFailed} }

// Main runs the program and returns its exit status.
func Main(ctx context.Context, c Config) int {
	root := newRoot(c)
	err := root.ExecuteContext(ctx)
	var exit *exitError
	switch {
	case err == nil:
		return ExitOK
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "culvert: interrupted")
		return ExitInterrupted
	case errors.As(err, &exit):
		if exit.message != "" {
			fmt.Fprintln(os.Stderr, "culvert: "+exit.message)
		}
		return exit.status
	default:
		fmt.Fprintln(os.Stderr, "culvert: "+err.Error())
		return ExitFailed
	}
}

// UsageError makes an error that says how the command was misused.
func UsageError(err error) error { return &exitError{ExitUsage, err.Error()} }

func newRoot(c Config) *cobra.Command {
	root := &cobra.Command{
		Use:   "culvert",
		Short: "A local AWS region whose VPC network is real",
		Long: `culvert runs a local AWS region whose VPC network is real: functions run in sandboxes, and their packets cross
real routers, security groups, network ACLs, route tables, NAT gateways and VPC endpoints.`,
		Example: `  culvert demo                                    # see a private function time out, then succeed
  culvert up &                                    # a region on http://127.0.0.1:4566
  eval "$(culvert env)" && aws s3 mb s3://data    # any AWS client, unchanged
  culvert exec -- terraform apply                 # Terraform, unchanged
  culvert why my-function s3                      # what stops it, and what to change`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       c.Version,
	}
	root.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return &exitError{ExitUsage, fmt.Sprintf("there is no command %q: see culvert --help", args[0])}
		}
		return nil
	}
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return &exitError{ExitUsage, err.Error()}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	var endpoint string
	root.PersistentFlags().StringVar(&endpoint, "endpoint", envOr("CULVERT_ENDPOINT", "http://"+DefaultListen), "URL of the running region (or $CULVERT_ENDPOINT)")
	client := &client{endpoint: &endpoint}
	root.AddCommand(
		newUp(c), newDemo(c), newEnv(client), newExec(client), newRun(client), newShell(client), newStatus(client), newWhy(client), newCalls(client), newPolicy(client), newDiagram(client), newCost(client), newFlows(client), newDown(client),
		newPreflight(c), newVersion(c),
	)
	return root
}

func newUp(c Config) *cobra.Command {
	var o UpOptions
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run a region until Ctrl-C or culvert down",
		Long: `Run a region until Ctrl-C or culvert down. It prints "culvert: ready on URL" once it answers.
What was created is kept in the data directory and is there again at the next start, the network included.`,
		Example: `  culvert up
  culvert up --ephemeral --listen 127.0.0.1:4567
  culvert up --data ./region --region eu-west-1`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, _, err := net.SplitHostPort(o.Listen); err != nil {
				return &exitError{ExitUsage, fmt.Sprintf("--listen %q: %v", o.Listen, err)}
			}
			if o.Ephemeral && cmd.Flags().Changed("data") {
				return &exitError{ExitUsage, "--ephemeral keeps nothing: it cannot be used with --data"}
			}
			return c.Up(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", DefaultListen, "address of the AWS APIs on this machine")
	f.StringVar(&o.Data, "data", defaultData(), "directory to keep the region in")
	f.BoolVar(&o.Ephemeral, "ephemeral", false, "keep everything in memory and forget it at the end")
	f.StringVar(&o.Region, "region", "us-west-2", "name of the region")
	f.BoolVar(&o.DefaultVPC, "default-vpc", false, "begin a new region with a default VPC, as an AWS account has it")
	f.StringArrayVar(&o.Quotas, "quota", nil, "change a quota of AWS's, as name=value; culvert status --json lists them (may be repeated)")
	f.DurationVar(&o.AsyncRetryDelay, "async-retry-delay", time.Minute, "wait so long before an asynchronous invocation that failed is tried again, and twice as long before the last time; AWS: 1m")
	f.DurationVar(&o.FlowLogInterval, "flow-log-interval", 0, "deliver records of flow logs this often, such as 1s, and not after 1 or 10 minutes as each flow log says")
	f.BoolVar(&o.AssumePrivateDNS, "assume-private-dns", false, "let every interface endpoint behave as if private DNS were on; AWS does not")
	f.BoolVar(&o.Verbose, "verbose", false, "log every call")
	return cmd
}

func newDemo(c Config) *cobra.Command {
	o := DemoOptions{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch a private function fail to reach S3, learn why, and mend it",
		Long: `Start a region in this process and run the whole story in it: a function in a private subnet times out reaching S3;
an interface endpoint without private DNS does not help; with private DNS it succeeds; a NAT gateway succeeds too. At
the end both roads are compared: latency, packets that crossed the internet gateway, price. Nothing is left behind.`,
		Example: `  culvert demo
  culvert demo --runtime python3.9 --timeout 30
  culvert demo --gb 5000 --json
  culvert demo --pictures .                       # and draw both roads`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.TimeoutSeconds < 1 || o.TimeoutSeconds > 900 {
				return &exitError{ExitUsage, "--timeout must be between 1 and 900 seconds"}
			}
			if o.Samples < 1 || o.Samples > 10000 {
				return &exitError{ExitUsage, "--samples must be between 1 and 10000"}
			}
			if !(o.GBPerMonth >= 0 && o.GBPerMonth <= 1e9) {
				return &exitError{ExitUsage, "--gb must be between 0 and 1000000000"}
			}
			o.Out, o.Colour = cmd.OutOrStdout(), isTerminal(os.Stdout)
			return c.Demo(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Runtime, "runtime", "provided.al2023", "the function's runtime: provided.al2023 or python3.x (needs that Python and boto3 here)")
	f.IntVar(&o.TimeoutSeconds, "timeout", 3, "the function's timeout in seconds")
	f.Float64Var(&o.GBPerMonth, "gb", 1000, "monthly traffic in GB to price")
	f.IntVar(&o.Samples, "samples", 50, "requests to time on each road")
	f.StringVar(&o.Pictures, "pictures", "", "directory to write pictures of both roads to")
	f.BoolVar(&o.JSON, "json", false, "print the result as JSON")
	return cmd
}

func newPreflight(c Config) *cobra.Command {
	return &cobra.Command{
		Use:   "preflight",
		Short: "Check that the network can run on this machine",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.Preflight(cmd.Context()); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "the network can run here")
			return nil
		},
	}
}

func newVersion(c Config) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		Run:   func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), "culvert "+c.Version) },
	}
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &exitError{ExitUsage, fmt.Sprintf("%s takes no arguments, got %q", cmd.CommandPath(), args)}
	}
	return nil
}

func envOr(name, fallback string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return fallback
}

// defaultData is where a user's programs keep data, by the XDG rule.
func defaultData() string {
	if d := os.Getenv("XDG_DATA_HOME"); d != "" {
		return d + "/culvert"
	}
	if d, err := os.UserHomeDir(); err == nil {
		return d + "/.local/share/culvert"
	}
	return "culvert-data"
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
