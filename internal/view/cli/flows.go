package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// flowsAnswer is what GET /_culvert/flows answers.
type flowsAnswer struct {
	Flows   []json.RawMessage `json:"flows"`
	Last    uint64            `json:"last"`
	Skipped uint64            `json:"skipped"`
}

type flowLine struct {
	Time                time.Time `json:"time"`
	Action              string    `json:"action"`
	Protocol            int       `json:"protocol"`
	Source, Destination flowEnd
	Packets             int    `json:"packets"`
	Bytes               int    `json:"bytes"`
	Component           string `json:"component"`
	Text                string `json:"text"`
}

type flowEnd struct {
	Address   string   `json:"address"`
	Port      int      `json:"port"`
	Interface string   `json:"interface"`
	Functions []string `json:"functions"`
	Endpoint  string   `json:"endpoint"`
	Service   string   `json:"service"`
}

func newFlows(c *client) *cobra.Command {
	var follow, asJSON, accepted, rejected bool
	var function, eni, vpc string
	cmd := &cobra.Command{
		Use:   "flows",
		Short: "Show which packets passed and which were dropped, and what decided that",
		Long: `Show what became of packets, a line a flow and direction: when, from whom, to whom, how much; and of what was dropped,
which security group, network ACL entry, route or missing route said no. Packets of a flow within a minute are one line, which
is shown at the first of them. With -f go on until Ctrl-C. The latest 4096 flows that passed are remembered while the region
runs, and as many that did not.`,
		Example: `  culvert flows --rejected
  culvert flows -f --function my-function
  culvert flows --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{}
			for name, value := range map[string]string{"function": function, "eni": eni, "vpc": vpc} {
				if value != "" {
					q.Set(name, value)
				}
			}
			if accepted {
				q.Set("action", "ACCEPT")
			}
			if rejected {
				q.Set("action", "REJECT")
			}
			return c.flows(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), q, follow, printFlow(asJSON))
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&follow, "follow", "f", false, "go on until Ctrl-C")
	f.BoolVar(&asJSON, "json", false, "print JSON, an object a line")
	f.BoolVar(&accepted, "accepted", false, "only what passed")
	f.BoolVar(&rejected, "rejected", false, "only what was dropped")
	cmd.MarkFlagsMutuallyExclusive("accepted", "rejected")
	f.StringVar(&function, "function", "", "only flows of this function's interfaces")
	f.StringVar(&eni, "eni", "", "only flows of this interface")
	f.StringVar(&vpc, "vpc", "", "only flows in this VPC")
	return cmd
}

// flows prints what there is, and with follow what comes.
func (c *client) flows(ctx context.Context, w, notes io.Writer, q url.Values, follow bool, show func(io.Writer, json.RawMessage) error) error {
	var skipped uint64
	for first := true; first || follow; first = false {
		var a flowsAnswer
		if err := c.call(ctx, "GET", "flows", q, &a); err != nil {
			if ctx.Err() != nil {
				return nil // Ctrl-C is how following ends
			}
			return err
		}
		for _, raw := range a.Flows {
			if err := show(w, raw); err != nil {
				return err
			}
		}
		if a.Skipped > skipped {
			fmt.Fprintln(notes, "culvert: there was more than could be told; some flows are missing")
			skipped = a.Skipped
		}
		q.Set("after", strconv.FormatUint(a.Last, 10))
		q.Set("wait", "20")
	}
	return nil
}

func printFlow(asJSON bool) func(io.Writer, json.RawMessage) error {
	return func(w io.Writer, raw json.RawMessage) error {
		if asJSON {
			_, err := fmt.Fprintf(w, "%s\n", raw)
			return err
		}
		var l flowLine
		if err := json.Unmarshal(raw, &l); err != nil {
			return fmt.Errorf("read the region's answer: %w", err)
		}
		_, err := fmt.Fprintln(w, l)
		return err
	}
}

// String is the flow for people, in one line.
func (l flowLine) String() string {
	protocol := map[int]string{1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}[l.Protocol]
	if protocol == "" {
		protocol = "protocol " + strconv.Itoa(l.Protocol)
	}
	if l.Action == "ACCEPT" {
		return fmt.Sprintf("%s %s %s -> %s %s %d packets, %d bytes", l.Time.Local().Format("15:04:05.000"), l.Action,
			l.Source.text(true), l.Destination.text(true), protocol, l.Packets, l.Bytes)
	}
	return fmt.Sprintf("%s %s %s -> %s %s %d bytes: %s [%s]", l.Time.Local().Format("15:04:05.000"), l.Action,
		l.Source.text(false), l.Destination.text(true), protocol, l.Bytes, l.Text, l.Component)
}

// text names one end: who it is if that is known, and its address.
func (e flowEnd) text(port bool) string {
	address := e.Address
	if port && e.Port != 0 {
		address = net.JoinHostPort(address, strconv.Itoa(e.Port))
	}
	who := e.Interface
	switch {
	case len(e.Functions) > 0:
		who = strings.Join(e.Functions, ",")
	case e.Endpoint != "":
		who = e.Endpoint + " " + e.Service
	case e.Service != "":
		who = e.Service
	}
	if who == "" {
		return address
	}
	return fmt.Sprintf("%s (%s)", who, address)
}
