package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAStatementKnowsWhereItStandsAndWhatItLooksAt(t *testing.T) {
	d := mustParse(t, Identity, "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\n"+
		"    \"Effect\": \"Allow\", \"Action\": \"s3:ä\", \"Resource\": \"arn:aws:s3:::${aws:username}/${*}/${s3:prefix, 'x'}\"\n  }, "+
		`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"AWS:UserName":"a","aws:PrincipalTag/team":"${aws:userid}"},"Null":{"aws:username":"true"}}}]}`)
	type place struct {
		Start, End Position
		Keys       []string
	}
	var got []place
	for _, s := range d.Statements {
		got = append(got, place{s.Start, s.End, s.Keys})
	}
	want := []place{
		{Position{3, 17}, Position{5, 4}, []string{"aws:username", "s3:prefix"}},
		{Position{5, 6}, Position{5, 170}, []string{"AWS:UserName", "aws:PrincipalTag/team", "aws:userid"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	old := mustParse(t, Identity, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}"}}`)
	if keys := old.Statements[0].Keys; keys != nil {
		t.Errorf("a document of 2008 has no variables, but keys %v", keys)
	}
}
