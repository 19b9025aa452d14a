package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// trace is what GET /_culvert/why answers.
type trace struct {
	Function  string   `json:"function"`
	Target    string   `json:"target"`
	Port      int      `json:"port"`
	Reachable bool     `json:"reachable"`
	Code      string   `json:"code"`
	Summary   string   `json:"summary"`
	Hops      []hop    `json:"hops"`
	Return    []hop    `json:"return"`
	Remedies  []remedy `json:"remedies"`
	Notes     []string `json:"notes"`
	Call      *verdict `json:"call"`
}

type hop struct {
	Component struct {
		Kind string `json:"kind"`
		ID   string `json:"id"`
	} `json:"component"`
	Verdict string `json:"verdict"`
	Code    string `json:"code"`
	Rule    string `json:"rule"`
	Text    string `json:"text"`
}

type remedy struct {
	Text      string `json:"text"`
	CLI       string `json:"cli"`
	Terraform string `json:"terraform"`
}

// question is what culvert why asks.
type question struct {
	from, to         string
	port             int
	action, resource string
	asJSON           bool
}

func newWhy(c *client) *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:   "why FUNCTION TARGET [--action ACTION --resource ARN]",
		Short: "Say what stops a function from reaching a service, and what to change",
		Long: `Follow a connection from a function, or from an interface (eni-...), hop by hop: name, security groups, network ACLs,
routes, gateways, endpoints, and the way back. TARGET is a service (s3), a DNS name or an IPv4 address.
With --action it also says whether a call that takes this way is allowed, by the policies of the function's role, the
bucket and the endpoint, and which statement decides. s3://bucket/key asks about reading that object.
Exit status: 0 it gets there (and may), 1 it does not, 2 there is no such function or target, 3 no region is running.`,
		Example: `  culvert why my-function s3
  culvert why my-function s3://bucket/key
  culvert why my-function s3 --action s3:PutObject --resource arn:aws:s3:::bucket/key
  culvert why my-function 10.0.2.15 --port 5432
  culvert why eni-0123456789abcdef0 sts --json`,
		DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return &exitError{ExitUsage, "say from where to where: culvert why FUNCTION TARGET (such as: culvert why my-function s3)"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			q.from, q.to = args[0], args[1]
			return q.ask(cmd, c)
		},
	}
	cmd.Flags().BoolVar(&q.asJSON, "json", false, "print the whole trace as JSON")
	cmd.Flags().IntVar(&q.port, "port", 443, "TCP port")
	cmd.Flags().StringVar(&q.action, "action", "", "also say whether this action is allowed, such as s3:GetObject")
	cmd.Flags().StringVar(&q.resource, "resource", "", "ARN that the action is for")
	return cmd
}

func (q question) ask(cmd *cobra.Command, c *client) error {
	var raw json.RawMessage
	if err := c.call(cmd.Context(), "GET", "why", q.query(), &raw); err != nil {
		return err
	}
	var t trace
	if err := json.Unmarshal(raw, &t); err != nil {
		return fmt.Errorf("read the region's answer: %w", err)
	}
	if q.asJSON {
		fmt.Fprintln(cmd.OutOrStdout(), string(raw))
	} else {
		printer{cmd.OutOrStdout(), isTerminal(os.Stdout)}.trace(q.from, t)
	}
	if !t.Reachable || t.Call != nil && !t.Call.Allowed {
		return Fail()
	}
	return nil
}

func (q question) query() url.Values {
	v := url.Values{"service": {q.to}, "port": {strconv.Itoa(q.port)}}
	source := "function"
	if strings.HasPrefix(q.from, "eni-") {
		source = "interface"
	}
	v.Set(source, q.from)
	for name, value := range map[string]string{"action": q.action, "resource": q.resource} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// printer writes for a person.
type printer struct {
	w      io.Writer
	colour bool
}

func (p printer) in(colour, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (p printer) trace(source string, t trace) {
	switch {
	case !t.Reachable:
		fmt.Fprintf(p.w, "%s  %s\n\n", p.in("31", t.Code), t.Summary)
	case t.Call != nil && !t.Call.Allowed:
		fmt.Fprintf(p.w, "%s  %s\n\n", p.in("31", t.Call.Code), t.Call.Summary)
	default:
		fmt.Fprintf(p.w, "%s %s\n\n", p.in("32", "reachable"), t.Summary)
	}
	fmt.Fprintf(p.w, "%s -> %s port %d\n", source, t.Target, t.Port)
	p.hops(t.Hops)
	if len(t.Return) > 0 {
		fmt.Fprintln(p.w, "and back")
		p.hops(t.Return)
	}
	if t.Call != nil {
		p.call(t.Call)
	}
	for i, r := range t.Remedies {
		if i == 0 {
			fmt.Fprintln(p.w, "\nwhat helps")
		}
		fmt.Fprintf(p.w, "  %d. %s\n", i+1, r.Text)
		p.indented("Terraform", r.Terraform)
		p.indented("AWS CLI", r.CLI)
	}
	for _, n := range t.Notes {
		fmt.Fprintf(p.w, "\nnote: %s\n", n)
	}
}

func (p printer) hops(hops []hop) {
	for _, h := range hops {
		mark := "  "
		switch h.Verdict {
		case "allow":
			mark = p.in("32", "ok")
		case "deny":
			mark = p.in("31", "no")
		}
		code := ""
		if h.Code != "" {
			code = "  [" + h.Code + "]"
		}
		fmt.Fprintf(p.w, "  %s  %-24s %s%s\n", mark, h.Component.ID, h.Text, code)
	}
}

func (p printer) indented(title, text string) {
	if text == "" {
		return
	}
	fmt.Fprintf(p.w, "     %s\n", p.in("2", title+":"))
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(p.w, "       %s\n", line)
	}
}
