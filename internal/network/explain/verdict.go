package explain

import (
	"fmt"
	"slices"
	"strings"
)

// conclude makes the verdict out of what was found.
func (c *explanation) conclude() Trace {
	t := &c.trace
	t.Reachable = len(c.causes) == 0
	if t.Reachable {
		t.Summary = c.success()
		return *t
	}
	first := c.causes[0]
	t.Code, t.Component = first.code, first.component
	t.Summary = fmt.Sprintf("%s cannot reach %s: %s", c.from(), c.target(), first.text)
	if c.misled() {
		// Private DNS would have sent the flow elsewhere: that it fails on the public way is only the consequence.
		t.Code, t.Component = c.advice.code, c.advice.component
		t.Summary = fmt.Sprintf("%s cannot reach %s: %s; and %s", c.from(), c.target(), c.advice.text, first.text)
	}
	for _, why := range c.allCauses() {
		for _, r := range c.remedies(why) {
			if r := r.alone(); !slices.Contains(t.Remedies, r) {
				t.Remedies = append(t.Remedies, r)
			}
		}
	}
	return *t
}

// alone is a remedy as it can be said without the others of its set: what needs something that another one makes has
// words only.
func (r Remedy) alone() Remedy {
	for _, name := range variables(r.CLI) {
		if name != "" && !strings.Contains(r.CLI, name+"=") {
			return Remedy{Text: r.Text}
		}
	}
	return r
}

// allCauses are the denials, and before them the name's answer if that is their root.
func (c *explanation) allCauses() []cause {
	if c.misled() {
		return append([]cause{*c.advice}, c.causes...)
	}
	return c.causes
}

// misled reports whether the name's answer is the root of the failure. A group without any rule fails either way,
// and answers that get lost were at least on their way.
func (c *explanation) misled() bool {
	return c.advice != nil && c.causes[0].code != "SG_HAS_NO_RULES" && !c.causes[0].packet.reply
}

func (c *explanation) success() string {
	text := fmt.Sprintf("%s reaches %s", c.from(), c.target())
	switch {
	case c.trace.Endpoint != "":
		text += " through " + c.trace.Endpoint
	case c.trace.Interface != "":
		text += " at " + c.trace.Interface
	}
	if c.trace.SourceSeen.IsValid() && c.trace.SourceSeen != c.flow.Source {
		text += fmt.Sprintf(", which sees %s", c.trace.SourceSeen)
	}
	return text
}

func (c *explanation) from() string {
	if c.flow.From == "" {
		return "a sender outside every VPC"
	}
	return fmt.Sprintf("%s (%s)", c.flow.From, c.flow.Source)
}

func (c *explanation) target() string {
	p := c.flow.packet(c.trace.To)
	what := p.what()
	switch {
	case c.flow.Internet:
		return "the internet on " + what
	case c.flow.Name != "" && c.trace.To.IsValid():
		return fmt.Sprintf("%s (%s) on %s", c.flow.Name, c.trace.To, what)
	case c.flow.Name != "":
		return fmt.Sprintf("%s on %s", c.flow.Name, what)
	default:
		return fmt.Sprintf("%s on %s", c.flow.To, what)
	}
}
