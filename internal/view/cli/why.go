package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// trace is what GET /_culvert/why answers.
type trace struct {
	Function  string   `json:"function"`
	Target    string   `json:"target"`
	Port      int      `json:"port"`
	Protocol  string   `json:"protocol"`
	Reachable bool     `json:"reachable"`
	Code      string   `json:"code"`
	Summary   string   `json:"summary"`
	Hops      []hop    `json:"hops"`
	Return    []hop    `json:"return"`
	Blockers  []hop    `json:"blockers"`
	Details   []hop    `json:"details"`
	Fix       []remedy `json:"fix"`
	Remedies  []remedy `json:"remedies"`
	Notes     []string `json:"notes"`
	Call      *verdict `json:"call"`

	folded int // details that are not printed
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
	protocol         string
	action, resource string
	groups           []string // of a workload that is supposed
	asJSON, verbose  bool
	fix              string // cli or terraform: print nothing else
}

func newWhy(c *client) *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:   "why SOURCE DESTINATION [--port N] [--protocol tcp|udp|icmp] [--action ACTION --resource ARN]",
		Short: "Say what stops one thing from reaching another, and what to change",
		Long: `Follow a connection hop by hop: name, security groups, network ACLs, routes, gateways, endpoints, and the way back; then
list all that stops it, and the smallest set of changes that lets it through.
SOURCE is a function, an instance (i-...), an interface (eni-...), a subnet (a workload in it, or one that is
supposed to be there, with --security-group or the VPC's default group), an address or "internet".
DESTINATION is a service (s3), a bucket or object (s3://bucket/key), a DNS name, a URL, an instance, an interface, a function, an address or "internet".
With --action it also says whether a call that takes this way is allowed, by the policies of the function's role, the
bucket and the endpoint, and which statement decides. s3://bucket/key asks about reading that object.
Exit status: 0 it gets there (and may), 1 it does not, 2 there is no such source or destination, 3 no region is running.`,
		Example: `  culvert why my-function s3
  culvert why my-function s3://bucket/key
  culvert why my-function s3 --action s3:PutObject --resource arn:aws:s3:::bucket/key
  culvert why my-function 10.0.2.15 --port 5432
  culvert why internet eni-0123456789abcdef0 --port 22
  culvert why subnet-0123456789abcdef0 https://sts.us-west-2.amazonaws.com --security-group sg-0123456789abcdef0
  culvert why eni-0123456789abcdef0 internet --protocol udp --port 53 --json`,
		DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return &exitError{ExitUsage, "say from where to where: culvert why SOURCE DESTINATION (such as: culvert why my-function s3)"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			q.from, q.to = args[0], args[1]
			if cmd.Flags().Changed("port") && (q.port < 1 || q.port > 65535) {
				return &exitError{ExitUsage, "--port must be between 1 and 65535"}
			}
			if q.fix != "" && q.fix != "cli" && q.fix != "terraform" || q.fix != "" && q.asJSON {
				return &exitError{ExitUsage, "--fix is cli or terraform, and not to be used with --json"}
			}
			return q.ask(cmd, c)
		},
	}
	cmd.Flags().BoolVar(&q.asJSON, "json", false, "print the whole trace as JSON")
	cmd.Flags().BoolVarP(&q.verbose, "verbose", "v", false, "also say of what does not serve, such as each route, why it does not")
	cmd.Flags().IntVar(&q.port, "port", 0, "TCP or UDP port; without it that of the URL, or 443")
	cmd.Flags().StringVar(&q.protocol, "protocol", "tcp", "tcp, udp or icmp (a ping)")
	cmd.Flags().StringVar(&q.fix, "fix", "", "print only what helps, for a machine: cli (a shell script) or terraform")
	cmd.Flags().StringVar(&q.action, "action", "", "also say whether this action is allowed, such as s3:GetObject")
	cmd.Flags().StringArrayVar(&q.groups, "security-group", nil, "of a workload that is not there yet: SOURCE is its subnet (may be repeated)")
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
	switch {
	case q.asJSON:
		fmt.Fprintln(cmd.OutOrStdout(), string(raw))
	case q.fix != "":
		t.printFix(cmd.OutOrStdout(), q.fix)
	default:
		if !q.verbose {
			t.folded, t.Details = len(t.Details), nil
		}
		printer{cmd.OutOrStdout(), isTerminal(os.Stdout)}.trace(q.from, t)
	}
	if !t.Reachable || t.Call != nil && !t.Call.Allowed {
		return Fail()
	}
	return nil
}

// printFix prints the set of changes as a script or as blocks, its sentences as comments.
func (t trace) printFix(w io.Writer, as string) {
	for _, r := range t.Fix {
		text := r.CLI
		if as == "terraform" {
			text = r.Terraform
		}
		fmt.Fprintf(w, "# %s\n", strings.ReplaceAll(r.Text, "\n", " "))
		if text != "" {
			fmt.Fprintln(w, text)
		}
	}
}

func (q question) query() url.Values {
	v := url.Values{"service": {q.to}, "source": {q.from}, "protocol": {q.protocol}}
	if q.port != 0 {
		v.Set("port", strconv.Itoa(q.port))
	}
	for name, value := range map[string]string{"action": q.action, "resource": q.resource} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for _, g := range q.groups {
		v.Add("group", g)
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
	if t.Protocol == "icmp" {
		fmt.Fprintf(p.w, "%s -> %s ping\n", source, t.Target)
	} else {
		fmt.Fprintf(p.w, "%s -> %s port %d\n", source, t.Target, t.Port)
	}
	p.hops(t.Hops)
	if len(t.Return) > 0 {
		fmt.Fprintln(p.w, "and back")
		p.hops(t.Return)
	}
	if t.Call != nil {
		p.call(t.Call)
	} else {
		p.mending(t)
	}
	for _, n := range t.Notes {
		fmt.Fprintf(p.w, "\nnote: %s\n", n)
	}
}

// mending prints all that stops it, the set of changes that lifts that, and what else there is.
func (p printer) mending(t trace) {
	if len(t.Blockers) > 1 {
		fmt.Fprintln(p.w, "\nwhat stops it")
		for i, b := range t.Blockers {
			fmt.Fprintf(p.w, "  %d. %s  %s\n", i+1, p.in("31", b.Code), b.Text)
		}
	}
	for i, d := range t.Details {
		if i == 0 {
			fmt.Fprintln(p.w, "\nwhat does not serve")
		}
		fmt.Fprintf(p.w, "  %s  %s\n", p.in("33", d.Code), d.Text)
	}
	if t.folded > 0 {
		fmt.Fprintf(p.w, "\n%s\n", p.in("2", fmt.Sprintf("(--verbose says of %d more things, such as routes, why they do not serve)", t.folded)))
	}
	title := "what helps"
	if len(t.Fix) > 1 {
		title = "what helps, all of it together"
	}
	p.remedies(title, t.Fix)
	var others []remedy
	for _, r := range t.Remedies {
		if !slices.ContainsFunc(t.Fix, func(f remedy) bool { return f.Text == r.Text }) {
			others = append(others, r)
		}
	}
	title = "other ways, or parts of them"
	if len(t.Fix) == 0 {
		title = "what helps"
	}
	p.remedies(title, others)
}

func (p printer) remedies(title string, all []remedy) {
	for i, r := range all {
		if i == 0 {
			fmt.Fprintln(p.w, "\n"+title)
		}
		fmt.Fprintf(p.w, "  %d. %s\n", i+1, r.Text)
		p.indented("Terraform", r.Terraform)
		p.indented("AWS CLI", r.CLI)
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
