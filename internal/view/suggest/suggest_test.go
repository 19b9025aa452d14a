package suggest

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/culvert-cloud/culvert/internal/calls"
)

const reader, writer = "arn:aws:iam::000000000000:role/reader", "arn:aws:iam::000000000000:role/writer"

func event(role string, decisions ...calls.Decision) *calls.Event {
	e := &calls.Event{UserIdentity: calls.Identity{SessionContext: &calls.Session{SessionIssuer: calls.Issuer{ARN: role}}}}
	e.AdditionalEventData.Decisions = decisions
	return e
}

func allowed(action, on string) calls.Decision {
	return calls.Decision{Action: action, Resource: on, Allowed: true}
}

func TestTheDocumentAllowsWhatWasSeenAndNothingElse(t *testing.T) {
	l := NewLog()
	l.Add(event(reader, allowed("s3:GetObject", "arn:aws:s3:::data/a"), calls.Decision{Action: "s3:PutObject", Resource: "arn:aws:s3:::data/a"}), true)
	l.Add(event(reader, allowed("s3:GetObject", "arn:aws:s3:::data/b")), true)
	l.Add(event(reader, allowed("s3:GetObject", "arn:aws:s3:::data/wild*")), true)
	l.Add(event(reader, allowed("ec2:CreateVpc", "arn:aws:ec2:us-west-2:000000000000:vpc/*")), true)
	l.Add(event(writer, allowed("s3:GetObject", "arn:aws:s3:::data/wild-thing")), false)
	s, err := l.ForRole()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.AlsoAllows) != 0 || s.Calls != 4 || len(s.Allows) != 4 {
		t.Errorf("calls %d, allows %v and also %v", s.Calls, s.Allows, s.AlsoAllows)
	}
	for _, want := range []string{`"arn:aws:s3:::data/wild${*}"`, `"arn:aws:ec2:us-west-2:000000000000:vpc/*"`} {
		if !strings.Contains(string(s.Document), want) {
			t.Errorf("no %s in\n%s", want, s.Document)
		}
	}
	if strings.Contains(string(s.Document), "PutObject") || strings.Contains(string(s.Document), "Principal") {
		t.Errorf("too much in\n%s", s.Document)
	}
}

func TestAnEndpointsPolicyNamesWhoCame(t *testing.T) {
	l := NewLog()
	l.Add(event(reader, allowed("s3:GetObject", "arn:aws:s3:::data/a")), true)
	l.Add(event(writer, allowed("s3:PutObject", "arn:aws:s3:::data/a")), true)
	l.Add(event(writer, allowed("s3:GetObject", "arn:aws:s3:::data/a")), false) // by another way
	s, err := l.ForEndpoint()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.AlsoAllows) != 0 || !strings.Contains(string(s.Document), `"aws:PrincipalArn"`) {
		t.Errorf("also allows %v\n%s", s.AlsoAllows, s.Document)
	}
}

func TestManyObjectsBecomeTheirBucketAndItIsSaid(t *testing.T) {
	l := NewLog()
	for i := range 500 {
		l.Add(event(reader, allowed("s3:GetObject", fmt.Sprintf("arn:aws:s3:::data/object-%d", i))), true)
	}
	l.Add(event(writer, allowed("s3:GetObject", "arn:aws:s3:::data/secret")), false)
	s, err := l.ForRole()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Notes) != 1 || len(s.AlsoAllows) != 1 || !strings.Contains(string(s.Document), `"arn:aws:s3:::data/*"`) {
		t.Errorf("notes %v, also allows %v\n%s", s.Notes, s.AlsoAllows, s.Document)
	}
}

func TestNothingSeenIsNothingToSuggest(t *testing.T) {
	if s, err := NewLog().ForRole(); err == nil {
		t.Errorf("suggested %s", s.Document)
	}
}

// Whatever was seen, what is suggested allows it, and of the rest of the log nothing that is not of the same name.
func TestAnySuggestionIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := NewLog()
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			role := rapid.SampledFrom([]string{reader, writer}).Draw(t, "role")
			on := "arn:aws:s3:::data/" + rapid.StringMatching(`[a$*?{}/:]{1,6}`).Draw(t, "key")
			l.Add(event(role, allowed(rapid.SampledFrom([]string{"s3:GetObject", "s3:PutObject"}).Draw(t, "action"), on)), role == reader)
		}
		if len(l.Wanted) == 0 {
			return
		}
		s, err := l.ForEndpoint()
		if err != nil {
			t.Fatal(err)
		}
		if len(s.AlsoAllows) != 0 {
			t.Fatalf("also allows %v\n%s", s.AlsoAllows, s.Document)
		}
	})
}
