package diagram

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// JSON is the picture as data: boxes, cards and edges with their places.
func (p *Picture) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(p)
	return b.Bytes(), err
}

// numbered gives every box and card a short name that any language takes.
func (p *Picture) numbered() map[string]string {
	names := map[string]string{}
	for i, b := range p.Boxes {
		names[b.Key] = fmt.Sprintf("b%d", i)
	}
	for i, c := range p.Cards {
		names[c.Key] = fmt.Sprintf("n%d", i)
	}
	return names
}

// tree writes boxes and what is in them, the outermost first.
func (p *Picture) tree(parent string, depth int, open func(*Box, string), card func(*Card, string), shut func(string)) {
	indent := strings.Repeat("  ", depth)
	for _, b := range p.Boxes {
		if b.Parent == parent {
			open(b, indent)
			p.tree(b.Key, depth+1, open, card, shut)
			shut(indent)
		}
	}
	for _, c := range p.Cards {
		if c.Parent == parent {
			card(c, indent)
		}
	}
}

// Mermaid is the picture as a flowchart; places are Mermaid's.
func (p *Picture) Mermaid() []byte {
	var b strings.Builder
	names := p.numbered()
	if p.Title != "" {
		fmt.Fprintf(&b, "---\ntitle: %q\n---\n", p.Title)
	}
	b.WriteString("flowchart LR\n")
	p.tree("", 1, func(box *Box, indent string) {
		fmt.Fprintf(&b, "%ssubgraph %s[\"%s\"]\n", indent, names[box.Key], mermaidText(strings.TrimSpace(box.Label+" "+box.Detail)))
	}, func(c *Card, indent string) {
		fmt.Fprintf(&b, "%s%s[\"%s\"]:::%s\n", indent, names[c.Key], mermaidText(c.text()), icons()[c.Icon].category)
	}, func(indent string) { b.WriteString(indent + "end\n") })
	for _, e := range p.Edges {
		arrow := map[string]string{StateLink: "-.->", StateFlow: "-->", StatePath: "==>", StateBlocked: "-.->"}[e.State]
		if label := e.label(); label != "" {
			arrow += `|"` + mermaidText(label) + `"|`
		}
		fmt.Fprintf(&b, "  %s %s %s\n", names[e.From], arrow, names[e.To])
	}
	b.WriteString("  classDef compute fill:#d9700f,stroke:#d9700f,color:#fff\n  classDef network fill:#7d4cdb,stroke:#7d4cdb,color:#fff\n")
	b.WriteString("  classDef storage fill:#4b8b1d,stroke:#4b8b1d,color:#fff\n  classDef security fill:#cf2f3f,stroke:#cf2f3f,color:#fff\n  classDef other fill:#51637d,stroke:#51637d,color:#fff\n")
	for i, e := range p.Edges {
		if colour := colourOf(e); colour != "" {
			fmt.Fprintf(&b, "  linkStyle %d stroke:%s,stroke-width:3px\n", i, colour)
		}
	}
	return []byte(b.String())
}

// label is what is written on an edge: why it ends, and what it carries.
func (e *Edge) label() string {
	b := Badge{edges: []*Edge{e}}
	b.write()
	if e.Code == "" {
		return b.Text
	}
	return strings.TrimSpace("✕ " + e.Code + " " + b.Text)
}

func colourOf(e *Edge) string {
	return map[string]string{StatePath: "#1d6fd1", StateBlocked: "#d92d3a"}[e.State]
}

func (c *Card) text() string {
	lines := append([]string{c.Label}, c.details...)
	if c.Code != "" {
		lines = append(lines, "✕ "+c.Code)
	}
	return strings.Join(lines, "\n")
}

func mermaidText(s string) string {
	return strings.NewReplacer("&", "#amp;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", "<br/>", "#", "#35;").Replace(s)
}

// DOT is the picture for Graphviz; places are Graphviz's.
func (p *Picture) DOT() []byte {
	var b strings.Builder
	names := p.numbered()
	b.WriteString("digraph culvert {\n  rankdir=LR\n  fontname=\"Helvetica\"\n  node [shape=box style=\"rounded,filled\" fontname=\"Helvetica\" fontcolor=white color=white]\n")
	if p.Title != "" {
		fmt.Fprintf(&b, "  label=%s\n  labelloc=t\n", dotText(p.Title))
	}
	colours := map[string]string{"compute": "#d9700f", "network": "#7d4cdb", "storage": "#4b8b1d", "security": "#cf2f3f", "other": "#51637d"}
	p.tree("", 1, func(box *Box, indent string) {
		fmt.Fprintf(&b, "%ssubgraph cluster_%s {\n%s  label=%s\n%s  id=%s\n", indent, names[box.Key], indent, dotText(strings.TrimSpace(box.Label+" "+box.Detail)), indent, dotText(box.ID))
	}, func(c *Card, indent string) {
		fmt.Fprintf(&b, "%s%s [label=%s id=%s fillcolor=\"%s\"]\n", indent, names[c.Key], dotText(c.text()), dotText(c.Key), colours[icons()[c.Icon].category])
	}, func(indent string) { b.WriteString(indent + "}\n") })
	for _, e := range p.Edges {
		var attributes []string
		switch e.State {
		case StateLink:
			attributes = []string{"style=dashed"}
		case StatePath:
			attributes = []string{`color="#1d6fd1"`, "penwidth=3"}
		case StateBlocked:
			attributes = []string{`color="#d92d3a"`, "style=dashed", "penwidth=3", `fontcolor="#d92d3a"`}
		}
		if label := e.label(); label != "" {
			attributes = append(attributes, "label="+dotText(label))
		}
		fmt.Fprintf(&b, "  %s -> %s", names[e.From], names[e.To])
		if len(attributes) > 0 {
			fmt.Fprintf(&b, " [%s]", strings.Join(attributes, " "))
		}
		b.WriteString("\n")
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

func dotText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", "").Replace(s) + `"`
}
