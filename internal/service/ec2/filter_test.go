package ec2

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWildcardsMatchAsARegularExpressionWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune(`ab*?\`)), 0, 8, -1).Draw(t, "pattern")
		s := rapid.StringOfN(rapid.RuneFrom([]rune(`ab*?\`)), 0, 8, -1).Draw(t, "text")
		if strings.HasSuffix(strings.ReplaceAll(pattern, `\\`, ""), `\`) {
			t.Skip("ends in an escape of nothing")
		}
		var re strings.Builder
		for i := 0; i < len(pattern); i++ {
			switch c := pattern[i]; c {
			case '*':
				re.WriteString(".*")
			case '?':
				re.WriteString(".")
			case '\\':
				i++
				re.WriteString(regexp.QuoteMeta(string(pattern[i])))
			default:
				re.WriteString(regexp.QuoteMeta(string(c)))
			}
		}
		if got, want := matches(pattern, s), regexp.MustCompile("^(?:"+re.String()+")$").MatchString(s); got != want {
			t.Errorf("matches(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
}

func TestFiltersAreAllOfAnyOf(t *testing.T) {
	w := newWorld(t)
	vpc, other := w.vpc("10.0.0.0/16"), w.vpc("10.1.0.0/16")
	a, b := w.subnet(vpc, "10.0.1.0/24", "a"), w.subnet(vpc, "10.0.2.0/24", "b")
	c := w.subnet(other, "10.1.1.0/24", "a")
	do(w, w.createTags, CreateTagsInput{Resources: []string{*a, *c}, Tags: []Tag{{Key: new("Name"), Value: new("front-1")}}})
	find := func(filters ...Filter) []string {
		var out []string
		for _, s := range see(w, w.describeSubnets, DescribeSubnetsInput{Filters: filters}).Subnets {
			out = append(out, *s.SubnetId)
		}
		return out
	}
	one := func(name string, values ...string) Filter { return Filter{Name: &name, Values: values} }
	for _, row := range []struct {
		filters []Filter
		want    []*string
	}{
		{nil, []*string{a, b, c}},
		{[]Filter{one("vpc-id", *vpc)}, []*string{a, b}},
		{[]Filter{one("vpc-id", *vpc, *other)}, []*string{a, b, c}},
		{[]Filter{one("vpc-id", *vpc), one("availability-zone", "us-west-2a")}, []*string{a}},
		{[]Filter{one("tag:Name", "front-*")}, []*string{a, c}},
		{[]Filter{one("tag:Name", "Front-*")}, nil},
		{[]Filter{one("tag:Name", `front-\*`)}, nil},
		{[]Filter{one("tag-key", "Nam?")}, []*string{a, c}},
		{[]Filter{one("cidr-block", "10.0.?.0/24")}, []*string{a, b}},
		{[]Filter{one("default-for-az", "true")}, nil},
		{[]Filter{one("available-ip-address-count", "251")}, []*string{a, b, c}},
		{[]Filter{one("ipv6-cidr-block-association.state", "*")}, nil},
	} {
		var want []string
		for _, id := range row.want {
			want = append(want, *id)
		}
		slices.Sort(want)
		if d := diff(find(row.filters...), want); d != "" {
			t.Errorf("%+v: subnets differ (-got +want):\n%s", row.filters, d)
		}
	}
	_, err := look(w, w.describeSubnets, DescribeSubnetsInput{Filters: filter("colour", "red")})
	if err == nil || err.Error() != "InvalidParameterValue: The filter 'colour' is invalid" {
		t.Errorf("got %v", err)
	}
	notSeen(w, w.describeSubnets, DescribeSubnetsInput{Filters: filter("vpc-id", make([]string, 201)...)}, "FilterLimitExceeded")
}

func TestPagesHoldEverythingOnce(t *testing.T) {
	w := newWorld(t)
	vpc := w.vpc("10.0.0.0/16")
	want := map[string]bool{}
	for i := range 12 {
		want[*w.subnet(vpc, fmt.Sprintf("10.0.%d.0/24", i), "a")] = true
	}
	got := map[string]bool{}
	in := DescribeSubnetsInput{MaxResults: new(int64(5))}
	sizes := []int{}
	for {
		out := see(w, w.describeSubnets, in)
		sizes = append(sizes, len(out.Subnets))
		for _, s := range out.Subnets {
			if got[*s.SubnetId] {
				t.Errorf("%s came twice", *s.SubnetId)
			}
			got[*s.SubnetId] = true
		}
		if out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
		// What is deleted between two pages neither repeats nor hides anything else.
		first := out.Subnets[0].SubnetId
		do(w, w.deleteSubnet, DeleteSubnetInput{SubnetId: first})
	}
	if d := diff(got, want); d != "" || !slices.Equal(sizes, []int{5, 5, 2}) {
		t.Errorf("pages of %v held (-got +want):\n%s", sizes, d)
	}
	notSeen(w, w.describeSubnets, DescribeSubnetsInput{NextToken: new("next please")}, "InvalidNextToken")
	notSeen(w, w.describeSubnets, DescribeSubnetsInput{MaxResults: new(int64(4))}, "InvalidParameterValue")
	notSeen(w, w.describeSubnets, DescribeSubnetsInput{MaxResults: new(int64(1001))}, "InvalidParameterValue")
}
