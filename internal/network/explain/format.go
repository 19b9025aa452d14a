package explain

import (
	"fmt"
	"strings"
)

// String is the trace for people: the sentence, the hops there and back, and what would help.
func (t Trace) String() string {
	var b strings.Builder
	b.WriteString(t.Summary + "\n")
	writeHops(&b, "there", t.Hops)
	writeHops(&b, "back", t.Return)
	for i, r := range t.Remedies {
		if i == 0 {
			b.WriteString("what would help\n")
		}
		fmt.Fprintf(&b, "  %d. %s\n", i+1, r.Text)
		writeIndented(&b, "AWS CLI", r.CLI)
		writeIndented(&b, "Terraform", r.Terraform)
	}
	return b.String()
}

func writeHops(b *strings.Builder, title string, hops []Hop) {
	if len(hops) == 0 {
		return
	}
	b.WriteString(title + "\n")
	for _, h := range hops {
		mark := map[Verdict]string{Allow: "ok", Deny: "DENY", Note: "note"}[h.Verdict]
		fmt.Fprintf(b, "  %-4s  %s", mark, h.Text)
		if h.Code != "" {
			fmt.Fprintf(b, " [%s %s]", h.Code, h.Component)
		}
		b.WriteString("\n")
	}
}

func writeIndented(b *strings.Builder, title, text string) {
	if text == "" {
		return
	}
	fmt.Fprintf(b, "     %s:\n", title)
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString("       " + line + "\n")
	}
}

// reference is an expression of Terraform's, not a string.
type reference string

// within says what belongs into a block that there is. Pasted on its own it is a comment.
func within[T ~string](kind string, id T, text string) string {
	return fmt.Sprintf("# in the %s of %s:\n#   %s", kind, id, strings.ReplaceAll(text, "\n", "\n#   "))
}

// block writes a Terraform resource as `terraform fmt` would: names and values in turn.
func block(kind, name string, pairs ...any) string {
	width := 0
	for i := 0; i < len(pairs); i += 2 {
		width = max(width, len(pairs[i].(string)))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "resource %q %q {\n", kind, name)
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "  %-*s = ", width, pairs[i])
		switch v := pairs[i+1].(type) {
		case string:
			fmt.Fprintf(&b, "%q\n", v)
		case []string:
			fmt.Fprintf(&b, "[\"%s\"]\n", strings.Join(v, "\", \""))
		case []any:
			for i, one := range v {
				if s, ok := one.(string); ok {
					v[i] = fmt.Sprintf("%q", s)
				}
			}
			fmt.Fprintf(&b, "%v\n", v)
		default:
			fmt.Fprintf(&b, "%v\n", v)
		}
	}
	return b.String() + "}"
}
