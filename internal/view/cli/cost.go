package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// bill is what GET /_culvert/cost answers, as far as it is for people.
type bill struct {
	Region string    `json:"region"`
	Table  billTable `json:"table"`
	Lines  billTable `json:"lines"`
}

type billTable struct {
	Header []string   `json:"header"`
	Rows   [][]string `json:"rows"`
	Notes  []string   `json:"notes"`
}

func newCost(c *client) *cobra.Command {
	var gb float64
	var asJSON, asMarkdown bool
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Price the region a month on AWS, as it is and by the other roads",
		Long: `Say what the network of the running region would cost a month on AWS: NAT gateways, endpoints, public addresses and
the data through them, as it is and with endpoints instead. The traffic is what was really counted, or --gb.`,
		Example: `  culvert cost
  culvert cost --gb 5000 --markdown`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{}
			if cmd.Flags().Changed("gb") {
				if !(gb >= 0 && gb <= 1e9) {
					return &exitError{ExitUsage, "--gb must be between 0 and 1000000000"}
				}
				q.Set("gb", strconv.FormatFloat(gb, 'f', -1, 64))
			}
			raw, err := c.fetch(cmd.Context(), "GET", "cost", q)
			if err != nil {
				return err
			}
			return printCost(cmd.OutOrStdout(), raw, asJSON, asMarkdown)
		},
	}
	f := cmd.Flags()
	f.Float64Var(&gb, "gb", 0, "monthly traffic in GB, instead of what was counted")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.BoolVar(&asMarkdown, "markdown", false, "print Markdown, for a pull request")
	cmd.MarkFlagsMutuallyExclusive("json", "markdown")
	return cmd
}

func printCost(w io.Writer, raw []byte, asJSON, asMarkdown bool) error {
	if asJSON {
		_, err := w.Write(raw)
		return err
	}
	var b bill
	if err := json.Unmarshal(raw, &b); err != nil {
		return fmt.Errorf("read the region's answer: %w", err)
	}
	if asMarkdown {
		b.Table.markdown(w)
		fmt.Fprintf(w, "\n<details><summary>The bill as it is</summary>\n\n")
		b.Lines.markdown(w)
		fmt.Fprintf(w, "\n</details>\n")
		return nil
	}
	b.Lines.plain(w)
	fmt.Fprintln(w)
	b.Table.plain(w)
	return nil
}

// plain writes columns, the first to the left and the others to the right.
func (t billTable) plain(w io.Writer) {
	widths := make([]int, len(t.Header))
	rows := append([][]string{t.Header}, t.Rows...)
	for _, row := range rows {
		for i, cell := range row {
			if i < len(widths) {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if i == 0 {
				fmt.Fprintf(&line, "%-*s", widths[i], cell)
			} else if i < len(widths) {
				fmt.Fprintf(&line, "  %*s", widths[i], cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
	for i, n := range t.Notes {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, n)
	}
}

func (t billTable) markdown(w io.Writer) {
	row := func(cells []string) {
		for _, cell := range cells {
			fmt.Fprintf(w, "| %s ", strings.ReplaceAll(cell, "|", `\|`))
		}
		fmt.Fprintln(w, "|")
	}
	row(t.Header)
	fmt.Fprintf(w, "|---|%s\n", strings.Repeat("---:|", max(len(t.Header)-1, 0)))
	for _, r := range t.Rows {
		row(r)
	}
	for _, n := range t.Notes {
		fmt.Fprintf(w, "\n%s\n", n)
	}
}
