package cli

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
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
	flows  bool
	cost   bool
	gb     float64
	scale  string
	icons  string
}

func newDiagram(c *client) *cobra.Command {
	var p picture
	cmd := &cobra.Command{
		Use:   "diagram",
		Short: "Draw the live network, and the path of a packet over it",
		Long: `Draw the network as it is now: VPCs, zones, subnets, functions, gateways, endpoints, and what reaches which service.
With --path, the way of one connection is drawn over it, as far as it goes; where it is blocked, in red, with the code.
With --flows, what really passed is written on the roads, and what was dropped is drawn in red. With --cost, money per month is
written on them: for what was counted, extrapolated by --scale, or for --gb.`,
		Example: `  culvert diagram -o network.svg
  culvert diagram --path "my-function -> s3" -o blocked.svg
  culvert diagram --flows --cost --scale 30d -o network.png --dark
  culvert diagram --format mermaid`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.draw(cmd, c) },
	}
	f := cmd.Flags()
	f.StringVarP(&p.output, "output", "o", "", "file to write; its ending says the format, unless --format does (default: standard output)")
	f.StringVar(&p.format, "format", "", "svg, png, mermaid, dot or json (default svg)")
	f.StringVar(&p.path, "path", "", `draw this path: "FUNCTION -> SERVICE", also an interface, a DNS name or an address`)
	f.StringVar(&p.title, "title", "", "title of the picture")
	f.BoolVar(&p.flows, "flows", false, "write the bytes that passed on the roads, and draw what was dropped")
	f.BoolVar(&p.cost, "cost", false, "write what each road costs a month on AWS")
	f.Float64Var(&p.gb, "gb", 0, "with --cost: monthly traffic in GB, instead of what was counted")
	f.StringVar(&p.scale, "scale", "", "with --cost: extrapolate what was counted to a time such as 30d")
	f.StringVar(&p.icons, "icons", "", "directory with icons of your own, such as AWS's icon deck; PNG pictures need PNG files")
	f.BoolVar(&p.dark, "dark", false, "draw for a dark background (default: the reader's choice)")
	cmd.MarkFlagsMutuallyExclusive("gb", "scale")
	return cmd
}

func (p picture) draw(cmd *cobra.Command, c *client) error {
	q, err := p.query()
	if err != nil {
		return err
	}
	if cmd.Flags().Changed("gb") {
		if !(p.gb >= 0 && p.gb <= 1e9) {
			return &exitError{ExitUsage, "--gb must be between 0 and 1000000000"}
		}
		q.Set("gb", strconv.FormatFloat(p.gb, 'f', -1, 64))
	}
	if !p.cost && (q.Has("gb") || p.scale != "") {
		return &exitError{ExitUsage, "--gb and --scale are for --cost"}
	}
	var icons []byte
	if p.icons != "" {
		var missing []string
		if icons, missing, err = readIcons(p.icons, q.Get("format")); err != nil {
			return err
		}
		if len(missing) > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "culvert: %s has no icon for %s: culvert's own are drawn\n", p.icons, strings.Join(missing, ", "))
		}
	}
	body, err := c.send(cmd.Context(), "POST", "diagram", q, icons)
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
	for name, value := range map[string]string{"format": format, "title": p.title, "scale": p.scale} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for overlay, wanted := range map[string]bool{"flows": p.flows, "cost": p.cost} {
		if wanted {
			q.Add("overlay", overlay)
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
