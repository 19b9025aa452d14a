package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// bill is what /_culvert/cost answers, as far as it is for people.
type bill struct {
	Region   string    `json:"region"`
	Table    billTable `json:"table"`
	Lines    billTable `json:"lines"`
	Services billTable `json:"serviceTable"`
	Flows    billTable `json:"flowTable"`
}

type billTable struct {
	Header []string   `json:"header"`
	Rows   [][]string `json:"rows"`
	Notes  []string   `json:"notes"`
}

// costQuestion is what culvert cost asks for.
type costQuestion struct {
	gb                     float64
	scale, traffic, prices string
}

func newCost(c *client) *cobra.Command {
	var ask costQuestion
	var asJSON, asMarkdown bool
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Price the region a month on AWS, as it is and by the other roads",
		Long: `Say what the network of the running region would cost a month on AWS: NAT gateways, endpoints, public addresses and
the data through them, as it is and with endpoints instead. The traffic is what was really counted, of each function and instance
by way and service; --scale extrapolates it. Or it is supposed: --gb, or --traffic FILE with Infracost's usage keys
(monthly_data_processed_gb) or, below "traffic", a list of {service, from, via, zone, monthly_gb}.`,
		Example: `  culvert cost
  culvert cost --scale 30d
  culvert cost --gb 5000 --markdown
  culvert cost --traffic infracost-usage.yml --prices my-prices.json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, body, err := ask.request(cmd.Flags().Changed("gb"))
			if err != nil {
				return err
			}
			raw, err := c.send(cmd.Context(), "POST", "cost", q, body)
			if err != nil {
				return err
			}
			return printCost(cmd.OutOrStdout(), raw, asJSON, asMarkdown)
		},
	}
	f := cmd.Flags()
	f.Float64Var(&ask.gb, "gb", 0, "monthly traffic in GB, instead of what was counted")
	f.StringVar(&ask.traffic, "traffic", "", "file with the monthly traffic, YAML or JSON, instead of what was counted")
	f.StringVar(&ask.scale, "scale", "", "extrapolate what was counted to a time such as 30d")
	f.StringVar(&ask.prices, "prices", "", "file with prices, in the place of those that come with culvert (culvert cost --json shows them)")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.BoolVar(&asMarkdown, "markdown", false, "print Markdown, for a pull request")
	cmd.MarkFlagsMutuallyExclusive("json", "markdown")
	cmd.MarkFlagsMutuallyExclusive("gb", "traffic", "scale")
	return cmd
}

// request is what is sent to the region: the user's files are read here.
func (a costQuestion) request(withGB bool) (url.Values, []byte, error) {
	q := url.Values{}
	if withGB {
		if !(a.gb >= 0 && a.gb <= 1e9) {
			return nil, nil, &exitError{ExitUsage, "--gb must be between 0 and 1000000000"}
		}
		q.Set("gb", strconv.FormatFloat(a.gb, 'f', -1, 64))
	}
	if a.scale != "" {
		q.Set("scale", a.scale)
	}
	files := map[string]string{}
	for name, path := range map[string]string{"traffic": a.traffic, "prices": a.prices} {
		if path == "" {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, &exitError{ExitUsage, fmt.Sprintf("--%s: %v", name, err)}
		}
		if strings.TrimSpace(string(content)) == "" {
			return nil, nil, &exitError{ExitUsage, fmt.Sprintf("--%s: %s is empty", name, path)}
		}
		files[name] = string(content)
	}
	body, err := json.Marshal(files)
	return q, body, err
}

// shownFlows is how many flows people are shown; --json has them all.
const shownFlows = 12

func printCost(w io.Writer, raw []byte, asJSON, asMarkdown bool) error {
	if asJSON {
		_, err := w.Write(raw)
		return err
	}
	var b bill
	if err := json.Unmarshal(raw, &b); err != nil {
		return fmt.Errorf("read the region's answer: %w", err)
	}
	if n := len(b.Flows.Rows) - shownFlows; n > 0 {
		b.Flows.Rows = b.Flows.Rows[:shownFlows]
		b.Flows.Notes = append(b.Flows.Notes, fmt.Sprintf("and %d more: see --json", n))
	}
	if asMarkdown {
		b.Table.markdown(w)
		for _, part := range []struct {
			title string
			table billTable
		}{{"The bill as it is", b.Lines}, {"Each service by each road", b.Services}, {"Whose traffic it is", b.Flows}} {
			if len(part.table.Rows) > 0 {
				fmt.Fprintf(w, "\n<details><summary>%s</summary>\n\n", part.title)
				part.table.markdown(w)
				fmt.Fprintf(w, "\n</details>\n")
			}
		}
		return nil
	}
	for _, t := range []billTable{b.Lines, b.Flows, b.Services} {
		if len(t.Rows) > 0 {
			t.plain(w)
			fmt.Fprintln(w)
		}
	}
	b.Table.plain(w)
	return nil
}

// plain writes columns, words to the left and amounts to the right.
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
			if i >= len(widths) {
				break
			}
			if i > 0 {
				line.WriteString("  ")
			}
			if t.words(i) {
				fmt.Fprintf(&line, "%-*s", widths[i], cell)
			} else {
				fmt.Fprintf(&line, "%*s", widths[i], cell)
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

// words reports whether a column holds words: none of its cells begins as an amount does.
func (t billTable) words(column int) bool {
	for _, r := range t.Rows {
		if column < len(r) && r[column] != "" && strings.ContainsRune("0123456789$-", rune(r[column][0])) && r[column] != "-" {
			return false
		}
	}
	return len(t.Rows) > 0
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
