package cli

import "fmt"

// verdict says whether the call that was asked about is allowed.
type verdict struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
	Caller   string `json:"caller"`
	Origin   struct {
		SourceIP      string `json:"sourceIp"`
		VPCEndpointID string `json:"vpcEndpointId"`
	} `json:"origin"`
	Allowed  bool         `json:"allowed"`
	Code     string       `json:"code"`
	Summary  string       `json:"summary"`
	Reason   string       `json:"reason"`
	Remedies []callRemedy `json:"remedies"`
	Notes    []string     `json:"notes"`
}

type callRemedy struct {
	Text      string `json:"text"`
	Statement string `json:"statement"`
	CLI       string `json:"cli"`
	Terraform string `json:"terraform"`
}

// call prints the verdict below the packets' way.
func (p printer) call(v *verdict) {
	way := "from the internet"
	if v.Origin.VPCEndpointID != "" {
		way = "through " + v.Origin.VPCEndpointID
	}
	fmt.Fprintf(p.w, "the call %s from %s, as %s, on %s\n", way, v.Origin.SourceIP, v.Caller, v.Resource)
	mark, code := p.in("32", "ok"), ""
	if !v.Allowed {
		mark, code = p.in("31", "no"), "  ["+v.Code+"]"
	}
	fmt.Fprintf(p.w, "  %s  %-24s %s%s\n", mark, v.Action, v.Reason, code)
	for _, n := range v.Notes {
		fmt.Fprintf(p.w, "      %s\n", n)
	}
	for i, r := range v.Remedies {
		if i == 0 {
			fmt.Fprintln(p.w, "\nwhat helps")
		}
		fmt.Fprintf(p.w, "  %d. %s\n", i+1, r.Text)
		p.indented("statement", r.Statement)
		p.indented("Terraform", r.Terraform)
		p.indented("AWS CLI", r.CLI)
	}
}
