package lambda

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUpdatesChangeOnlyWhatTheySay(t *testing.T) {
	b := newBench(t)
	b.create("f", func(in *CreateFunctionInput) {
		in.Environment = &Environment{Variables: map[string]string{"KEY": "v"}}
		in.Description = ptr("text")
	})
	before := *b.function("f")
	out := must[UpdateFunctionConfigurationOutput](b, "UpdateFunctionConfiguration", &UpdateFunctionConfigurationInput{
		FunctionName: ptr("f"), MemorySize: ptr(int64(256)), RevisionId: &before.RevisionID,
	})
	if *out.LastUpdateStatus != "InProgress" || *out.LastUpdateStatusReasonCode != "Creating" || *out.State != "Active" {
		t.Errorf("the answer says %s, %s, %s", *out.LastUpdateStatus, *out.LastUpdateStatusReasonCode, *out.State)
	}
	want := before
	want.MemorySize = 256
	want.RevisionID = b.function("f").RevisionID
	if diff := cmp.Diff(b.function("f"), &want); diff != "" || want.RevisionID == before.RevisionID {
		t.Errorf("after the update (-got +want):\n%s", diff)
	}
	must[UpdateFunctionConfigurationOutput](b, "UpdateFunctionConfiguration", &UpdateFunctionConfigurationInput{FunctionName: ptr("f"), Environment: &Environment{}})
	got := must[GetFunctionConfigurationOutput](b, "GetFunctionConfiguration", &GetFunctionConfigurationInput{FunctionName: ptr("f")})
	if got.Environment != nil || *got.Description != "text" || *got.LastUpdateStatus != "Successful" {
		t.Errorf("environment %v, description %s, status %s", got.Environment, *got.Description, *got.LastUpdateStatus)
	}
	b.refused("UpdateFunctionConfiguration", &UpdateFunctionConfigurationInput{FunctionName: ptr("f"), RevisionId: &before.RevisionID}, 412,
		"PreconditionFailedException: The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	b.refused("UpdateFunctionConfiguration", &UpdateFunctionConfigurationInput{FunctionName: ptr("f"), Runtime: ptr("nodejs18.x")}, 400,
		"InvalidParameterValueException: The runtime parameter of nodejs18.x is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.")
}

func TestNewCodeReplacesTheOldOne(t *testing.T) {
	b := newBench(t)
	b.create("f")
	old := b.function("f").CodeKey
	zipped := makeZip(t, entry{"a", 0o644, "new"})
	dry := must[UpdateFunctionCodeOutput](b, "UpdateFunctionCode", &UpdateFunctionCodeInput{FunctionName: ptr("f"), ZipFile: zipped, DryRun: ptr(true)})
	if b.function("f").CodeKey != old || *dry.CodeSize != int64(len(zipped)) {
		t.Error("a dry run changed the function or did not look at the code")
	}
	must[UpdateFunctionCodeOutput](b, "UpdateFunctionCode", &UpdateFunctionCodeInput{FunctionName: ptr("f"), ZipFile: zipped})
	if now := b.function("f").CodeKey; b.code.Has(old) || !b.code.Has(now) || now == old {
		t.Errorf("old code there: %v, new code there: %v", b.code.Has(old), b.code.Has(now))
	}
	b.create("g", func(in *CreateFunctionInput) { in.Code.ZipFile = zipped })
	must[DeleteFunctionOutput](b, "DeleteFunction", &DeleteFunctionInput{FunctionName: ptr("f")})
	if !b.code.Has(b.function("g").CodeKey) {
		t.Error("code that another function has went with the first")
	}
}

func TestFunctionsAreNamedInEveryFormAWSTakes(t *testing.T) {
	b := newBench(t)
	b.create("f")
	for _, name := range []string{
		"f", "f:$LATEST", "function:f", "000000000000:function:f", "000000000000:function:f:$LATEST",
		"arn:aws:lambda:us-west-2:000000000000:function:f", "arn:aws:lambda:us-west-2:000000000000:function:f:$LATEST",
	} {
		if _, err := call[GetFunctionOutput](b, "GetFunction", &GetFunctionInput{FunctionName: &name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	out := must[GetFunctionOutput](b, "GetFunction", &GetFunctionInput{FunctionName: ptr("f"), Qualifier: ptr("$LATEST")})
	if got, want := *out.Configuration.FunctionArn, "arn:aws:lambda:us-west-2:000000000000:function:f:$LATEST"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	const arn = "arn:aws:lambda:us-west-2:000000000000:function:"
	for _, c := range []struct {
		name      string
		qualifier *string
		status    int
		want      string
	}{
		{"g", nil, 404, "ResourceNotFoundException: Function not found: " + arn + "g"},
		{"g", ptr("$LATEST"), 404, "ResourceNotFoundException: Function not found: " + arn + "g:$LATEST"},
		{"f", ptr("42"), 404, "ResourceNotFoundException: Function not found: " + arn + "f:42"},
		{"f", ptr("x"), 404, "ResourceNotFoundException: Cannot find alias arn: " + arn + "f:x"},
		{"f:x", nil, 404, "ResourceNotFoundException: Cannot find alias arn: " + arn + "f:x"},
		{"f:x", ptr("y"), 400, "InvalidParameterValueException: The derived qualifier from the function name does not match the specified qualifier."},
		{"arn:aws:lambda:eu-west-1:000000000000:function:f", nil, 404, "ResourceNotFoundException: Functions from 'eu-west-1' are not reachable in this region ('us-west-2')"},
		{"111111111111:function:f", nil, 403, "AccessDeniedException: Functions of the account 111111111111 are not reachable from the account 000000000000."},
		{"arn:aws:lambda:us-west-2:f", nil, 400, "ValidationException: 1 validation error detected: Value 'arn:aws:lambda:us-west-2:f' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: " + functionNamePattern},
		{"arn:aws:s3:::f", nil, 400, "ValidationException: 1 validation error detected: Value 'arn:aws:s3:::f' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: " + functionNamePattern},
	} {
		b.refused("GetFunction", &GetFunctionInput{FunctionName: &c.name, Qualifier: c.qualifier}, c.status, c.want)
	}
	b.refused("DeleteFunction", &DeleteFunctionInput{FunctionName: ptr("f"), Qualifier: ptr("$LATEST")}, 400,
		"InvalidParameterValueException: $LATEST version cannot be deleted without deleting the function.")
	b.refused("GetPolicy", &GetPolicyInput{FunctionName: ptr("f")}, 404, "ResourceNotFoundException: No policy is associated with the given resource.")
	signing := must[GetFunctionCodeSigningConfigOutput](b, "GetFunctionCodeSigningConfig", &GetFunctionCodeSigningConfigInput{FunctionName: ptr("f")})
	if *signing.CodeSigningConfigArn != "" || *signing.FunctionName != "f" {
		t.Errorf("code signing: got %v", signing)
	}
}

func TestResourcesAreTheFunctionAsItWasNamed(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		operation string
		in        any
		want      string
	}{
		{"CreateFunction", input("f", nil), "arn:aws:lambda:us-west-2:000000000000:function:f"},
		{"Invoke", &InvokeInput{FunctionName: ptr("f"), Qualifier: ptr("$LATEST")}, "arn:aws:lambda:us-west-2:000000000000:function:f:$LATEST"},
		{"Invoke", &InvokeInput{FunctionName: ptr("arn:aws:lambda:eu-west-1:111111111111:function:f")}, "arn:aws:lambda:eu-west-1:111111111111:function:f"},
		{"ListTags", &ListTagsInput{Resource: ptr("arn:aws:lambda:us-west-2:000000000000:function:f")}, "arn:aws:lambda:us-west-2:000000000000:function:f"},
		{"ListFunctions", &ListFunctionsInput{}, "*"},
	} {
		for _, o := range b.service.Definition().Operations {
			if o.Name == c.operation {
				if got := o.Resources(b.state.View(), c.in); len(got) != 1 || got[0] != c.want {
					t.Errorf("%s: got %v, want %s", c.operation, got, c.want)
				}
			}
			if o.Name == "Invoke" && o.Action != "lambda:InvokeFunction" {
				t.Errorf("the action of Invoke is %s", o.Action)
			}
		}
	}
}

func TestListsArePaged(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"c", "a", "b"} {
		b.create(name)
	}
	var got string
	in := &ListFunctionsInput{MaxItems: ptr(int64(2))}
	for {
		out := must[ListFunctionsOutput](b, "ListFunctions", in)
		for _, f := range out.Functions {
			got += *f.FunctionName
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
		got += "|"
	}
	if got != "ab|c" {
		t.Errorf("got pages %s, want ab|c", got)
	}
	out := must[ListVersionsByFunctionOutput](b, "ListVersionsByFunction", &ListVersionsByFunctionInput{FunctionName: ptr("a"), MaxItems: ptr(int64(10000))})
	if len(out.Versions) != 1 || *out.Versions[0].Version != "$LATEST" || *out.Versions[0].FunctionArn != b.function("a").ARN+":$LATEST" {
		t.Errorf("got versions %v", out.Versions)
	}
}

func TestTagsAreKept(t *testing.T) {
	b := newBench(t)
	b.create("f", func(in *CreateFunctionInput) { in.Tags = map[string]string{"a": "1"} })
	arn := &b.function("f").ARN
	must[TagResourceOutput](b, "TagResource", &TagResourceInput{Resource: arn, Tags: map[string]string{"b": "2"}})
	must[UntagResourceOutput](b, "UntagResource", &UntagResourceInput{Resource: arn, TagKeys: []string{"a", "x"}})
	out := must[ListTagsOutput](b, "ListTags", &ListTagsInput{Resource: arn})
	if diff := cmp.Diff(out.Tags, map[string]string{"b": "2"}); diff != "" {
		t.Error(diff)
	}
	b.refused("ListTags", &ListTagsInput{Resource: ptr("f")}, 400,
		"InvalidParameterValueException: Tags on function aliases and versions are not supported. Please specify a function ARN.")
}
