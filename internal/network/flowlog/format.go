package flowlog

import (
	"slices"
	"strconv"
	"strings"
)

// A Format is the list of fields of a record.
type Format struct {
	Fields  []string
	Version int // the highest that one of the fields needs
}

// DecidedBy is a field of this program's own: the object that refused, and its rule.
const DecidedBy = "x-culvert-decided-by"

// fieldsOf are the fields that came with each version; see the VPC guide, "Available fields".
func fieldsOf() map[int][]string {
	return map[int][]string{
		2: {"version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "action", "log-status"},
		3: {"vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr"},
		4: {"region", "az-id", "sublocation-type", "sublocation-id"},
		5: {"pkt-src-aws-service", "pkt-dst-aws-service", "flow-direction", "traffic-path"},
		7: {"ecs-cluster-arn", "ecs-cluster-name", "ecs-container-instance-arn", "ecs-container-instance-id", "ecs-container-id",
			"ecs-second-container-id", "ecs-service-name", "ecs-task-definition-arn", "ecs-task-arn", "ecs-task-id"},
		8:  {"reject-reason"},
		9:  {"resource-id"},
		10: {"encryption-status"},
	}
}

// Default is the format of who asks for none.
func Default() Format { return Format{fieldsOf()[2], 2} }

// NotFilled are the fields that are always "-": there is nothing of the kind here, or what AWS says in them is not known.
func NotFilled() []string {
	fields := fieldsOf()
	return slices.Concat(fields[4][2:], fields[7], fields[8], fields[9], fields[10])
}

// Parse reads a format: ${field} ${field}, with one space between. False: it is none.
func Parse(text string) (Format, bool) {
	versions := map[string]int{DecidedBy: 2}
	for version, names := range fieldsOf() {
		for _, n := range names {
			versions[n] = version
		}
	}
	out := Format{Version: 2}
	for word := range strings.SplitSeq(text, " ") {
		name, ok := strings.CutPrefix(word, "${")
		name, closed := strings.CutSuffix(name, "}")
		version := versions[name]
		if !ok || !closed || version == 0 {
			return Format{}, false
		}
		out.Fields, out.Version = append(out.Fields, name), max(out.Version, version)
	}
	return out, true
}

// String is the format as it is asked for.
func (f Format) String() string { return "${" + strings.Join(f.Fields, "} ${") + "}" }

// Header is the first line of a file.
func (f Format) Header() string { return strings.Join(f.Fields, " ") }

// line is a record in the format; what a record does not say is "-".
func (f Format) line(of map[string]string) string {
	var b strings.Builder
	for i, name := range f.Fields {
		if i > 0 {
			b.WriteByte(' ')
		}
		v := of[name]
		if name == "version" {
			v = strconv.Itoa(f.Version)
		}
		if v == "" {
			v = "-"
		}
		b.WriteString(v)
	}
	return b.String()
}
