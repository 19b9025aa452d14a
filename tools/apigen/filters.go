package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// docs is the part of an AWS documentation model (docs-2.json) that says what a member of a shape is for.
type docs struct {
	Shapes map[string]struct {
		Refs map[string]string // CreateVpcRequest$CidrBlock -> text
	}
}

// documented finds the name of a filter: each is the first code of a list item.
var documented = regexp.MustCompile(`<li>\s*<p>\s*<code>([^<]+)</code>`)

// writeFilters writes, for each EC2 operation that lists something, the page sizes and the filters of AWS's
// documentation: the test of the listings compares. A dash stands for no limit.
func writeFilters(path string) error {
	models, err := modelDir()
	if err != nil {
		return err
	}
	dir := filepath.Join(models, "ec2", versions()["ec2"])
	m, err := loadModel(filepath.Join(dir, "api-2.json"), "")
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(dir, "docs-2.json"))
	if err != nil {
		return err
	}
	var d docs
	if err := json.Unmarshal(raw, &d); err != nil {
		return fmt.Errorf("read the documentation: %w", err)
	}
	var out strings.Builder
	out.WriteString("# What AWS documents of EC2's listings: operation, least and most of a page, filters. Made by go generate; do not edit.\n")
	for _, name := range slices.Sorted(maps.Keys(m.Operations)) {
		o := m.Operations[name]
		if o.Input == nil {
			continue
		}
		var filters []string
		for _, member := range []string{"Filters", "Filter"} {
			for _, found := range documented.FindAllStringSubmatch(d.Shapes["FilterList"].Refs[o.Input.Shape+"$"+member], -1) {
				filters = append(filters, found[1])
			}
		}
		size := m.Shapes[o.Input.Shape].Members["MaxResults"]
		if size == nil && len(filters) == 0 {
			continue
		}
		least, most := "-", "-"
		if size != nil {
			s := m.Shapes[size.Shape]
			least, most = limit(s.Min), limit(s.Max)
		}
		fmt.Fprintf(&out, "%s %s %s %s\n", name, least, most, strings.Join(filters, " "))
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(out.String(), " \n", "\n")), 0o644)
}

func limit(n *float64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(int(*n))
}
