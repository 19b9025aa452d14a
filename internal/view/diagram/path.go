package diagram

import (
	"github.com/culvert-cloud/culvert/internal/network/explain"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// overlay draws one path over the network: as far as it goes, and where it ends in red.
func (p *Picture) overlay(in Input) {
	path := in.Path
	start := p.startOf(path)
	if p.Title == "" {
		name := path.Function
		if name == "" {
			name = string(path.From)
		}
		p.Title = name + " → " + path.Target
	}
	p.Summary, p.Blocked = path.Trace.Summary, !path.Trace.Reachable
	if p.byKey[start] == nil {
		return
	}
	p.byKey[start].onPath = true
	p.walk(start, p.steps(in, start), path)
}

func (p *Picture) startOf(path *Path) string {
	switch {
	case path.Function != "" && path.From != "":
		return functionKey(path.Function, path.From)
	case path.Function != "":
		return path.Function
	case p.byKey[string(path.From)] != nil:
		return string(path.From)
	default:
		return p.cardOf(explain.Component{Kind: resource.KindNetworkInterface, ID: string(path.From)})
	}
}

// step is one card on the way, or that the way ends before the next.
type step struct {
	card   string
	denied bool
}

// steps are the cards of a path, with the denials between them.
func (p *Picture) steps(in Input, start string) []step {
	path := in.Path
	var steps []step
	denied, groups, last := false, 0, start
	for _, h := range path.Trace.Hops {
		for _, key := range p.cardsAt(in, path.Trace, h, path.From) {
			if key != last {
				steps = append(steps, step{card: key})
				groups, last = 0, key
			}
		}
		if h.Component.Kind == resource.KindSecurityGroup {
			groups++
		}
		if h.Verdict != explain.Deny {
			continue
		}
		// The second group asked is that of the interface at the other end, which has a card.
		if far := path.Trace.Interface; groups > 1 && h.Component.Kind == resource.KindSecurityGroup && far != "" && !denied {
			if key := p.cardOf(explain.Component{Kind: resource.KindNetworkInterface, ID: far}); key != "" && key != last {
				steps = append(steps, step{card: key})
				groups, last = 0, key
			}
		}
		steps = append(steps, step{denied: true})
		denied = true
	}
	if !path.Trace.Reachable && !denied && len(steps) > 0 { // the answer was denied: the last edge carries nothing
		steps = append(steps[:len(steps)-1], step{denied: true}, steps[len(steps)-1])
	}
	return steps
}

// walk connects the steps. What comes after a denial is where the packet wanted to go.
func (p *Picture) walk(start string, steps []step, path *Path) {
	at := start
	for i, s := range steps {
		if s.denied {
			p.block(at, steps[i+1:], path)
			return
		}
		p.byKey[s.card].onPath = true
		p.connect(at, []string{s.card}, StatePath)
		at = s.card
	}
	if service := serviceKey(path.Trace.Service); p.byKey[service] != nil && path.Trace.Reachable {
		p.byKey[service].onPath = true
		p.connect(at, []string{service}, StatePath)
	}
}

// block marks the card at which a path ends, and the edge that it does not take.
func (p *Picture) block(at string, rest []step, path *Path) {
	p.byKey[at].Code = path.Trace.Code
	to := serviceKey(path.Service)
	if path.Service == "" {
		to = "internet"
	}
	for _, r := range rest {
		if r.card != "" && r.card != at {
			to = r.card
			break
		}
	}
	if p.byKey[to] == nil || to == at {
		return
	}
	p.byKey[to].onPath = true
	p.connect(at, []string{to}, StateBlocked)
	p.edge(at, to).Code = path.Trace.Code
}
