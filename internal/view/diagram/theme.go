package diagram

import (
	"fmt"
	"strings"
)

// Theme says for which background an SVG is.
type Theme string

// The themes. Auto follows the reader's preference.
const (
	ThemeAuto  Theme = ""
	ThemeDark  Theme = "dark"
	ThemeLight Theme = "light"
)

// rule is a style rule: what it is for, and its declarations in light and dark.
type rule struct{ selector, light, dark string }

func rules() []rule {
	return []rule{
		{".canvas", "fill:#ffffff", "fill:#0d1117"},
		{".title", "fill:#1a2230", "fill:#f0f3f8"},
		{".summary", "fill:#4a5568", "fill:#aab4c3"},
		{".summary.blocked", "fill:#c01f2e", "fill:#ff7b85"},
		{".box", "fill:none;stroke-width:1.5", "fill:none;stroke-width:1.5"},
		{".box.region", "fill:#f7f9fb;stroke:#c3ccd8", "fill:#121821;stroke:#364152"},
		{".box.vpc", "fill:#ffffff;stroke:#7d4cdb;stroke-width:2", "fill:#161d28;stroke:#9b7bea;stroke-width:2"},
		{".box.availability-zone", "stroke:#94a3b8;stroke-dasharray:6 5", "stroke:#55637a;stroke-dasharray:6 5"},
		{".box.public-subnet", "fill:#eef8ec;stroke:#a9d6a0", "fill:#152a1c;stroke:#36693c"},
		{".box.private-subnet", "fill:#eaf4fb;stroke:#a3cbe6", "fill:#132536;stroke:#315f82"},
		{".box.outside-vpc", "stroke:#94a3b8;stroke-dasharray:3 4", "stroke:#55637a;stroke-dasharray:3 4"},
		{".box-label", "fill:#1f2a3a", "fill:#e2e8f1"},
		{".box-detail", "fill:#566377", "fill:#9fadc1"},
		{".card rect.face", "fill:#ffffff;stroke:#cfd7e2", "fill:#1d2735;stroke:#3b485b"},
		{".card.on-path rect.face", "stroke:#1d6fd1;stroke-width:2", "stroke:#5aa2f5;stroke-width:2"},
		{".card.blocked rect.face", "fill:#fff5f5;stroke:#d92d3a;stroke-width:2", "fill:#32191f;stroke:#ff6470;stroke-width:2"},
		{".card .label", "fill:#17202e", "fill:#f0f3f8"},
		{".card .detail", "fill:#566377", "fill:#a5b2c5"},
		{".card .code", "fill:#c01f2e", "fill:#ff8089"},
		{".compute", "fill:#d9700f", "fill:#d9700f"},
		{".network", "fill:#7d4cdb", "fill:#8457e0"},
		{".storage", "fill:#4b8b1d", "fill:#4f9220"},
		{".security", "fill:#cf2f3f", "fill:#cf2f3f"},
		{".other", "fill:#51637d", "fill:#5b6e8a"},
		{".edge", "stroke:#5b6b82;stroke-width:2", "stroke:#8796ad;stroke-width:2"},
		{".edge.link", "stroke:#a9b4c4;stroke-dasharray:5 5", "stroke:#526077;stroke-dasharray:5 5"},
		{".edge.path", "stroke:#1d6fd1;stroke-width:3.5", "stroke:#5aa2f5;stroke-width:3.5"},
		{".edge.blocked", "stroke:#d92d3a;stroke-width:3;stroke-dasharray:8 6", "stroke:#ff6470;stroke-width:3;stroke-dasharray:8 6"},
		{".head", "fill:#5b6b82", "fill:#8796ad"},
		{".head.link", "fill:#a9b4c4", "fill:#526077"},
		{".head.path", "fill:#1d6fd1", "fill:#5aa2f5"},
		{".head.blocked", "fill:#d92d3a", "fill:#ff6470"},
		{".badge", "fill:#ffffff;stroke:#c3ccd8", "fill:#1d2735;stroke:#4a596e"},
		{".badge.rejected", "fill:#fff5f5;stroke:#d92d3a", "fill:#32191f;stroke:#ff6470"},
		{".badge-text", "fill:#17202e", "fill:#f0f3f8"},
		{".badge-text.rejected", "fill:#c01f2e", "fill:#ff8089"},
		{".cross", "fill:#d92d3a;stroke:#ffffff", "fill:#ff6470;stroke:#161d28"},
		{".cross-mark", "stroke:#ffffff", "stroke:#161d28"},
	}
}

// style is the style sheet of a theme.
func style(theme Theme) string {
	var b strings.Builder
	b.WriteString("text{font-family:-apple-system,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif}\n")
	fmt.Fprintf(&b, ".title{font-size:%dpx;font-weight:600}\n.summary{font-size:%dpx}\n", titleSize, summarySize)
	fmt.Fprintf(&b, ".box-label{font-size:%dpx;font-weight:600}\n.box-detail{font-size:%dpx}\n", boxSize, detailSize)
	fmt.Fprintf(&b, ".card .label{font-size:%dpx;font-weight:600}\n.card .detail{font-size:%dpx}\n.card .code{font-size:%dpx;font-weight:600}\n", labelSize, detailSize, detailSize)
	b.WriteString(".edge{fill:none;stroke-linejoin:round}\n.icon{fill:none;stroke:#ffffff;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}\n")
	fmt.Fprintf(&b, ".badge-text{font-size:%dpx;font-weight:600;text-anchor:middle}\n", detailSize)
	b.WriteString(".cross{stroke-width:2}\n.cross-mark{stroke-width:2.5;stroke-linecap:round}\n")
	for _, r := range rules() {
		if theme == ThemeDark {
			fmt.Fprintf(&b, "%s{%s}\n", r.selector, r.dark)
		} else {
			fmt.Fprintf(&b, "%s{%s}\n", r.selector, r.light)
		}
	}
	if theme == ThemeAuto {
		b.WriteString("@media (prefers-color-scheme:dark){\n")
		for _, r := range rules() {
			if r.dark != r.light {
				fmt.Fprintf(&b, "%s{%s}\n", r.selector, r.dark)
			}
		}
		b.WriteString("}\n")
	}
	return b.String()
}
