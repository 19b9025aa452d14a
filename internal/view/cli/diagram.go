package cli

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// picture is what culvert diagram asks for.
type picture struct {
	output string
	format string
	path   string
	title  string
	dark   bool
}

func newDiagram(c *client) *cobra.Command {
	var p picture
	cmd := &cobra.Command{
		Use:   "diagram",
		Short: "Draw the live network, and the path of a packet over it",
		Long: `Draw the network as it is now: VPCs, zones, subnets, functions, gateways, endpoints, and what reaches which service.
With --path, the way of one connection is drawn over it, as far as it goes; where it is blocked, in red, with the code.`,
		Example: `  culvert diagram -o network.svg
  culvert diagram --path "my-function -> s3" -o blocked.svg
  culvert diagram -o network.png --dark
  culvert diagram --format mermaid`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.draw(cmd, c) },
	}
	f := cmd.Flags()
	f.StringVarP(&p.output, "output", "o", "", "file to write; its ending says the format, unless --format does (default: standard output)")
	f.StringVar(&p.format, "format", "", "svg, png, mermaid, dot or json (default svg)")
	f.StringVar(&p.path, "path", "", `draw this path: "FUNCTION -> SERVICE", also an interface, a DNS name or an address`)
	f.StringVar(&p.title, "title", "", "title of the picture")
	f.BoolVar(&p.dark, "dark", false, "draw for a dark background (default: the reader's choice)")
	return cmd
}

func (p picture) draw(cmd *cobra.Command, c *client) error {
	q, err := p.query()
	if err != nil {
		return err
	}
	body, err := c.fetch(cmd.Context(), "GET", "diagram", q)
	if err != nil {
		return err
	}
	if p.output == "" || p.output == "-" {
		_, err = cmd.OutOrStdout().Write(body)
		return err
	}
	if err := os.WriteFile(p.output, body, 0o644); err != nil {
		return fmt.Errorf("write the picture: %w", err)
	}
	return nil
}

func (p picture) query() (url.Values, error) {
	format := p.format
	if ending := filepath.Ext(p.output); format == "" && ending != "" {
		format = map[string]string{".svg": "svg", ".png": "png", ".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot", ".json": "json"}[ending]
		if format == "" {
			return nil, &exitError{ExitUsage, fmt.Sprintf("-o %s: there is no picture of the kind %s, only .svg, .png, .mmd, .dot and .json", p.output, ending)}
		}
	}
	q := url.Values{}
	for name, value := range map[string]string{"format": format, "title": p.title} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if p.dark {
		q.Set("theme", "dark")
	}
	if p.path == "" {
		return q, nil
	}
	from, to, found := strings.Cut(strings.ReplaceAll(p.path, "→", "->"), "->")
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	if !found || from == "" || to == "" {
		return nil, &exitError{ExitUsage, fmt.Sprintf(`--path %q is not of the form "FUNCTION -> SERVICE"`, p.path)}
	}
	q.Set("from", from)
	q.Set("to", to)
	return q, nil
}
