package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// suggestion is what GET /_culvert/policy/suggest answers.
type suggestion struct {
	Document   json.RawMessage `json:"document"`
	Calls      int             `json:"calls"`
	Allows     []seen          `json:"allows"`
	AlsoAllows []seen          `json:"alsoAllows"`
	Notes      []string        `json:"notes"`
}

type seen struct {
	Principal string `json:"principal"`
	Action    string `json:"action"`
	Resource  string `json:"resource"`
}

func newPolicy(c *client) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Write policies",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSuggest(c))
	return cmd
}

func newSuggest(c *client) *cobra.Command {
	var role, endpoint string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "suggest --role ROLE | --endpoint vpce-...",
		Short: "Write the policy that allows what was seen and nothing else",
		Long: `Write a least-privilege policy for a role, or for a VPC endpoint, from the calls that culvert calls lists. The document
is tried before it is printed: everything that was seen must be allowed, and what else of the log it would allow is
said. Run what the role is for first: what was not called is not in it.

--endpoint is the VPC endpoint here; a region elsewhere than usual is found by $CULVERT_ENDPOINT.`,
		Example: `  culvert policy suggest --role reader > policy.json
  culvert policy suggest --endpoint vpce-0123456789abcdef0`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (role == "") == (endpoint == "") {
				return &exitError{ExitUsage, "say either --role or --endpoint vpce-..."}
			}
			q := url.Values{"role": {role}}
			if endpoint != "" {
				q = url.Values{"endpoint": {endpoint}}
			}
			if asJSON {
				body, err := c.fetch(cmd.Context(), "GET", "policy/suggest", q)
				if err == nil {
					_, err = cmd.OutOrStdout().Write(body)
				}
				return err
			}
			var s suggestion
			if err := c.call(cmd.Context(), "GET", "policy/suggest", q, &s); err != nil {
				return err
			}
			return s.print(cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&role, "role", "", "name or ARN of the role")
	f.StringVar(&endpoint, "endpoint", "", "id of the VPC endpoint")
	f.BoolVar(&asJSON, "json", false, "print the document, what it allows and notes as JSON")
	return cmd
}

// print writes the document to one place and what is to be said of it to another, so that the first can be a file.
func (s *suggestion) print(out, remarks io.Writer) error {
	var document bytes.Buffer
	if err := json.Indent(&document, s.Document, "", "  "); err != nil {
		return fmt.Errorf("read the suggested document: %w", err)
	}
	fmt.Fprintf(remarks, "From %d calls; all %d things that were seen are allowed by it.\n", s.Calls, len(s.Allows))
	for _, n := range s.Notes {
		fmt.Fprintln(remarks, n)
	}
	const most = 10
	for i, a := range s.AlsoAllows {
		if i == most {
			fmt.Fprintf(remarks, "... and %d more.\n", len(s.AlsoAllows)-most)
			break
		}
		fmt.Fprintf(remarks, "It would also allow %q on %q.\n", a.Action, a.Resource)
	}
	_, err := fmt.Fprintln(out, strings.TrimSpace(document.String()))
	return err
}
