package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// printer tells the story to a person.
type printer struct {
	w      io.Writer
	colour bool
}

// The colours, as terminals number them.
const (
	red   = "31"
	green = "32"
	bold  = "1"
	faint = "2"
)

func (p printer) in(colour, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (p printer) opening(o Options) {
	mode := "as root"
	if o.Rootless {
		mode = "as an ordinary user"
	}
	fmt.Fprintf(p.w, "A region %s, %s, ready in %d ms. Nothing in it can reach the real internet.\n\n", o.Region, mode, o.Ready.Milliseconds())
}

func (p printer) built(n network, o Options) {
	fmt.Fprintf(p.w, "  vpc       %s  10.0.0.0/16\n", n.VPC)
	fmt.Fprintf(p.w, "  subnet    %s  10.0.1.0/24, private: %s has the local route only\n", n.Subnet, n.RouteTable)
	fmt.Fprintf(p.w, "  function  %s  %s, timeout %d s, %s\n", functionName, o.Runtime, o.TimeoutSeconds, n.FunctionGroup)
	fmt.Fprintf(p.w, "  object    s3://%s/%s\n\n", n.Bucket, fileKey)
}

func (p printer) title(number int, text string) {
	fmt.Fprintf(p.w, "%s\n", p.in(bold, fmt.Sprintf("%d. %s", number, text)))
	fmt.Fprintf(p.w, "  $ aws lambda invoke --function-name %s response.json\n", functionName)
}

func (p printer) stage(s Stage) {
	fmt.Fprintf(p.w, "  %s\n", s.Payload)
	fmt.Fprintf(p.w, "  %s\n", p.in(faint, s.Report))
	fmt.Fprintf(p.w, "  $ culvert why %s s3\n", functionName)
	if s.Why.Reachable {
		fmt.Fprintf(p.w, "  %s %s\n", p.in(green, "reachable"), s.Why.Summary)
	} else {
		fmt.Fprintf(p.w, "  %s %s\n", p.in(red, s.Why.Code), s.Why.Summary)
	}
	if len(s.Why.Remedies) > 0 { // the first is the one to take
		p.remedy(s.Why.Remedies[0])
	}
	if !s.OK {
		fmt.Fprintf(p.w, "  %s\n", p.in(red, "THIS STAGE DID NOT END AS IT MUST"))
	}
	fmt.Fprintln(p.w)
}

func (p printer) remedy(r Remedy) {
	fmt.Fprintf(p.w, "    fix: %s\n", r.Text)
	for line := range strings.SplitSeq(strings.TrimSpace(r.Terraform), "\n") {
		if line != "" {
			fmt.Fprintf(p.w, "         %s\n", line)
		}
	}
}

// end prints the table that compares the roads.
func (p printer) end(r Result) {
	fmt.Fprintf(p.w, "%s\n", p.in(bold, "Both roads, measured and priced"))
	fmt.Fprintf(p.w, "  %-34s %20s %20s\n", "", r.Roads[0].Name, r.Roads[1].Name)
	row := func(name string, f func(Road) string) {
		fmt.Fprintf(p.w, "  %-34s %20s %20s\n", name, f(r.Roads[0]), f(r.Roads[1]))
	}
	row("GetObject, new connection, p50", func(x Road) string { return milliseconds(x.ColdP50) })
	row("GetObject, open connection, p50", func(x Road) string { return milliseconds(x.WarmP50) })
	row("packets by the internet gateway", func(x Road) string { return fmt.Sprint(x.InternetGatewayPackets) })
	row("bytes by the NAT gateway", func(x Road) string { return fmt.Sprint(x.NATGatewayBytes) })
	row(fmt.Sprintf("AWS price a month, %g GB, one AZ", r.Price.GBPerMonth), func(x Road) string { return fmt.Sprintf("$%.2f", x.MonthlyUSD) })
	fmt.Fprintf(p.w, "\n  %s\n", r.Price.BreakEvenExplain)
	fmt.Fprintf(p.w, "  A gateway endpoint for S3 would cost $%.2f. Prices of %s.\n\n", r.Price.GatewayUSD, r.Price.PricesOf)
	if len(r.Pictures) > 0 {
		fmt.Fprintf(p.w, "  Pictures of both roads: %s\n\n", strings.Join(r.Pictures, ", "))
	} else {
		fmt.Fprintf(p.w, "  Pictures of both roads: culvert demo --pictures .\n\n")
	}
	verdict := p.in(green, "Every stage ended as it must.")
	if !r.OK {
		verdict = p.in(red, "Not every stage ended as it must.")
	}
	fmt.Fprintf(p.w, "%s Own work %s; nothing is left behind.\n", verdict, (time.Duration(r.OwnMS) * time.Millisecond).Round(10*time.Millisecond))
}
