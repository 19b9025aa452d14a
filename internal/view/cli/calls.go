package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

// callEvent is what of a line of the log of calls is printed.
type callEvent struct {
	Time         time.Time `json:"eventTime"`
	Source       string    `json:"eventSource"`
	Name         string    `json:"eventName"`
	Endpoint     string    `json:"vpcEndpointId"`
	ErrorCode    string    `json:"errorCode"`
	UserIdentity struct {
		Type string `json:"type"`
		ARN  string `json:"arn"`
	} `json:"userIdentity"`
	Resources []struct {
		ARN string `json:"ARN"`
	} `json:"resources"`
	More struct {
		Door      string `json:"door"`
		VPC       string `json:"vpcId"`
		Interface string `json:"networkInterfaceId"`
		Status    int    `json:"httpStatus"`
		Decisions []struct {
			Action    string `json:"action"`
			Resource  string `json:"resource"`
			Allowed   bool   `json:"allowed"`
			By        string `json:"by"`
			Explicit  bool   `json:"explicit"`
			Policy    string `json:"policy"`
			Statement *int   `json:"statement"`
			Sid       string `json:"sid"`
		} `json:"decisions"`
	} `json:"additionalEventData"`
}

func newCalls(c *client) *cobra.Command {
	var last int
	var role, endpoint string
	var follow, denied, asJSON bool
	cmd := &cobra.Command{
		Use:   "calls",
		Short: "Print the calls made to the region, and what decided each",
		Long: `Print the calls made to the region: who, what, on what, by which way, and which statement of which policy allowed or
denied it. --json prints the lines as they are kept, in the shape of CloudTrail's records.`,
		Example: `  culvert calls                                   # the last 20
  culvert calls -f --denied                       # what is refused, as it happens
  culvert calls -n 1000 --json --role reader | jq .eventName`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{"last": {strconv.Itoa(last)}}
			for name, on := range map[string]bool{"follow": follow, "denied": denied} {
				if on {
					q.Set(name, "true")
				}
			}
			if role != "" {
				q.Set("role", role)
			}
			if endpoint != "" {
				q.Set("endpoint", endpoint)
			}
			body, err := c.open(cmd.Context(), "GET", "calls", q)
			if err != nil {
				return err
			}
			defer body.Close()
			return printCalls(cmd.OutOrStdout(), body, asJSON)
		},
	}
	f := cmd.Flags()
	f.IntVarP(&last, "last", "n", 20, "how many past calls to begin with")
	f.BoolVarP(&follow, "follow", "f", false, "go on with those that follow")
	f.BoolVar(&denied, "denied", false, "only those that were refused")
	f.StringVar(&role, "role", "", "only those of a role's sessions (name or ARN)")
	f.StringVar(&endpoint, "vpc-endpoint", "", "only those through a VPC endpoint (vpce-...)")
	f.BoolVar(&asJSON, "json", false, "print JSON lines")
	return cmd
}

func printCalls(out io.Writer, body io.Reader, asJSON bool) error {
	scanner := bufio.NewScanner(body)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		line := scanner.Text()
		if !asJSON {
			var e callEvent
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				return fmt.Errorf("read a call: %w", err)
			}
			line = e.line()
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	if err := scanner.Err(); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // the region ended
		return fmt.Errorf("read the calls: %w", err)
	}
	return nil
}

// line is a call on one line. Names in it are the callers' choice, so nothing in them may speak to the terminal.
func (e *callEvent) line() string {
	who := e.UserIdentity.ARN
	if _, name, ok := strings.Cut(who, ":assumed-role/"); ok {
		who = "role/" + name
	} else if i := strings.LastIndexByte(who, ':'); i >= 0 {
		who = who[i+1:]
	}
	if who == "" {
		who = "nobody"
	}
	service, _, _ := strings.Cut(e.Source, ".")
	text := fmt.Sprintf("%s  %d  %s %s by %s", e.Time.Local().Format(time.TimeOnly), e.More.Status, service, e.Name, who)
	switch {
	case e.Endpoint != "":
		text += strings.TrimRight(fmt.Sprintf(" through %s in %s %s", e.Endpoint, e.More.VPC, e.More.Interface), " ")
	case e.More.Door != "host":
		text += " from the " + e.More.Door
	}
	text += e.decided()
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// decided is the decision that counted: the first denial, or else the first of all.
func (e *callEvent) decided() string {
	if len(e.More.Decisions) == 0 {
		if e.ErrorCode != "" {
			return ": " + e.ErrorCode
		}
		return ""
	}
	d := e.More.Decisions[0]
	for _, other := range e.More.Decisions {
		if !other.Allowed {
			d = other
			break
		}
	}
	verdict := "allowed"
	if !d.Allowed {
		verdict = "denied"
	}
	text := fmt.Sprintf(": %s %s on %s, ", d.Action, verdict, d.Resource)
	switch {
	case d.Policy == "" && d.Allowed:
		text += "by " + d.By
	case d.Policy == "":
		text += "no " + d.By + " statement allows it"
	default:
		text += fmt.Sprintf("by statement %d of %s (%s)", *d.Statement, d.Policy, d.By)
		if d.Sid != "" {
			text += " " + d.Sid
		}
	}
	return text
}
