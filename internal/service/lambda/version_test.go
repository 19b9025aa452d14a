package lambda

import (
	"context"
	"fmt"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
)

// publish publishes a version and returns its number.
func (b *bench) publish(name string) string {
	b.Helper()
	return *must[PublishVersionOutput](b, "PublishVersion", &PublishVersionInput{FunctionName: &name}).Version
}

func (b *bench) describe(name, memory string) {
	b.Helper()
	must[UpdateFunctionConfigurationOutput](b, "UpdateFunctionConfiguration", &UpdateFunctionConfigurationInput{FunctionName: &name, Description: &memory})
}

func TestAPublishedVersionNeverChanges(t *testing.T) {
	b := newBench(t)
	b.create("f", inVPC([]string{"subnet-0000000a"}, []string{"sg-0000000a"}))
	old := b.function("f").CodeKey
	out := must[PublishVersionOutput](b, "PublishVersion", &PublishVersionInput{FunctionName: ptr("f"), Description: ptr("first")})
	if *out.Version != "1" || *out.FunctionArn != b.function("f").ARN+":1" || *out.State != "Pending" || *out.Description != "first" {
		t.Errorf("got %s %s %s %s", *out.Version, *out.FunctionArn, *out.State, *out.Description)
	}
	must[UpdateFunctionCodeOutput](b, "UpdateFunctionCode", &UpdateFunctionCodeInput{FunctionName: ptr("f"), ZipFile: makeZip(t, entry{"a", 0o644, "new"})})
	must[UpdateFunctionConfigurationOutput](b, "UpdateFunctionConfiguration", &UpdateFunctionConfigurationInput{FunctionName: ptr("f"), MemorySize: ptr(int64(512)), VpcConfig: &VpcConfig{}})
	got := must[GetFunctionOutput](b, "GetFunction", &GetFunctionInput{FunctionName: ptr("f"), Qualifier: ptr("1")}).Configuration
	if *got.MemorySize != 128 || got.VpcConfig == nil || *got.Version != "1" || *got.State != "Active" {
		t.Errorf("version 1 has %d MB, VPC %v, version %s, state %s", *got.MemorySize, got.VpcConfig, *got.Version, *got.State)
	}
	if !b.code.Has(old) || len(b.interfaces()) != 1 {
		t.Errorf("its code is there: %v, its interfaces: %d", b.code.Has(old), len(b.interfaces()))
	}
	var ran []string
	b.fake.handle = func(_ context.Context, f *resource.Function, _ Invocation) (Result, error) {
		ran = append(ran, f.Qualified()+" "+f.CodeKey)
		return Result{}, nil
	}
	invoked := must[InvokeOutput](b, "Invoke", &InvokeInput{FunctionName: ptr("f:1")})
	if *invoked.ExecutedVersion != "1" || ran[0] != "f:1 "+old {
		t.Errorf("got version %s, ran %v", *invoked.ExecutedVersion, ran)
	}
	must[DeleteFunctionOutput](b, "DeleteFunction", &DeleteFunctionInput{FunctionName: ptr("f"), Qualifier: ptr("1")})
	if b.code.Has(old) || len(b.interfaces()) != 0 {
		t.Errorf("after it is deleted: code %v, interfaces %d", b.code.Has(old), len(b.interfaces()))
	}
	b.refused("Invoke", &InvokeInput{FunctionName: ptr("f:1")}, 404, "ResourceNotFoundException: Function not found: arn:aws:lambda:us-west-2:000000000000:function:f:1")
}

func TestPublishingWhatDidNotChangeGivesTheSameVersion(t *testing.T) {
	b := newBench(t)
	b.create("f")
	if first, again := b.publish("f"), b.publish("f"); first != "1" || again != "1" {
		t.Errorf("got %s and %s, want 1 twice", first, again)
	}
	b.describe("f", "changed")
	if got := b.publish("f"); got != "2" {
		t.Errorf("after a change got %s, want 2", got)
	}
	must[DeleteFunctionOutput](b, "DeleteFunction", &DeleteFunctionInput{FunctionName: ptr("f"), Qualifier: ptr("2")})
	if got := b.publish("f"); got != "3" {
		t.Errorf("a number was given twice: got %s, want 3", got)
	}
	b.refused("PublishVersion", &PublishVersionInput{FunctionName: ptr("f"), RevisionId: ptr("x")}, 412, "PreconditionFailedException: The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	b.refused("PublishVersion", &PublishVersionInput{FunctionName: ptr("f"), CodeSha256: ptr("x")}, 400,
		"InvalidParameterValueException: CodeSHA256 (x) is different from current CodeSHA256 in $LATEST ("+b.function("f").CodeSHA256+"). Please try again with the CodeSHA256 in $LATEST.")
}

func TestCreatingAndUpdatingCanPublish(t *testing.T) {
	b := newBench(t)
	created := b.create("f", func(in *CreateFunctionInput) { in.Publish = ptr(true) })
	updated := must[UpdateFunctionCodeOutput](b, "UpdateFunctionCode", &UpdateFunctionCodeInput{FunctionName: ptr("f"), Publish: ptr(true), ZipFile: makeZip(t, entry{"a", 0o644, "new"})})
	if *created.Version != "1" || *updated.Version != "2" || *updated.FunctionArn != b.function("f").ARN+":2" {
		t.Errorf("got %s, then %s %s", *created.Version, *updated.Version, *updated.FunctionArn)
	}
	var got []string
	in := &ListVersionsByFunctionInput{FunctionName: ptr("f"), MaxItems: ptr(int64(2))}
	for {
		out := must[ListVersionsByFunctionOutput](b, "ListVersionsByFunction", in)
		for _, v := range out.Versions {
			got = append(got, *v.Version)
		}
		if in.Marker = out.NextMarker; in.Marker == nil {
			break
		}
	}
	if fmt.Sprint(got) != "[$LATEST 1 2]" {
		t.Errorf("got versions %v", got)
	}
	all := must[ListFunctionsOutput](b, "ListFunctions", &ListFunctionsInput{FunctionVersion: ptr("ALL")})
	if len(all.Functions) != 3 || *all.Functions[2].FunctionArn != b.function("f").ARN+":2" {
		t.Errorf("ListFunctions of all versions: %d", len(all.Functions))
	}
}

func TestAnAliasLeadsToItsVersions(t *testing.T) {
	b := newBench(t)
	b.create("f", func(in *CreateFunctionInput) { in.Publish = ptr(true) })
	b.describe("f", "second")
	b.publish("f")
	made := must[CreateAliasOutput](b, "CreateAlias", &CreateAliasInput{FunctionName: ptr("f"), Name: ptr("live"), FunctionVersion: ptr("1")})
	if *made.AliasArn != b.function("f").ARN+":live" || *made.FunctionVersion != "1" || len(*made.RevisionId) != 36 {
		t.Errorf("got %v", made)
	}
	count := func() (n map[string]int) {
		n = map[string]int{}
		for range 400 {
			n[*must[InvokeOutput](b, "Invoke", &InvokeInput{FunctionName: ptr("f"), Qualifier: ptr("live")}).ExecutedVersion]++
		}
		return n
	}
	if got := count(); got["1"] != 400 {
		t.Errorf("without a second version: %v", got)
	}
	if arn := b.fake.invoked[0].InvokedARN; arn != *made.AliasArn {
		t.Errorf("the function is told %s", arn)
	}
	weighted := &AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.25}}
	must[UpdateAliasOutput](b, "UpdateAlias", &UpdateAliasInput{FunctionName: ptr("f"), Name: ptr("live"), RoutingConfig: weighted, RevisionId: made.RevisionId})
	if got := count(); got["2"] < 50 || got["2"] > 150 || got["1"]+got["2"] != 400 {
		t.Errorf("a quarter should go to 2: %v", got)
	}
	b.refused("DeleteFunction", &DeleteFunctionInput{FunctionName: ptr("f:2")}, 409, "ResourceConflictException: Cannot delete the version 2 of the function f: the alias live points to it.")
	must[UpdateAliasOutput](b, "UpdateAlias", &UpdateAliasInput{FunctionName: ptr("f"), Name: ptr("live"), FunctionVersion: ptr("2"), RoutingConfig: &AliasRoutingConfiguration{}})
	if got := count(); got["2"] != 400 {
		t.Errorf("after it moved: %v", got)
	}
	if got := must[ListAliasesOutput](b, "ListAliases", &ListAliasesInput{FunctionName: ptr("f"), FunctionVersion: ptr("1")}); len(got.Aliases) != 0 {
		t.Errorf("aliases of version 1: %d", len(got.Aliases))
	}
	must[DeleteAliasOutput](b, "DeleteAlias", &DeleteAliasInput{FunctionName: ptr("f"), Name: ptr("live")})
	b.refused("Invoke", &InvokeInput{FunctionName: ptr("f:live")}, 404, "ResourceNotFoundException: Cannot find alias arn: arn:aws:lambda:us-west-2:000000000000:function:f:live")
}

func TestAliasesThatAWSRefusesAreRefused(t *testing.T) {
	b := newBench(t)
	b.create("f", func(in *CreateFunctionInput) { in.Publish = ptr(true) })
	must[CreateAliasOutput](b, "CreateAlias", &CreateAliasInput{FunctionName: ptr("f"), Name: ptr("there"), FunctionVersion: ptr("$LATEST")})
	const arn = "arn:aws:lambda:us-west-2:000000000000:function:f"
	const validation = "ValidationException: 1 validation error detected: Value "
	for _, c := range []struct {
		name, version string
		weights       map[string]float64
		status        int
		want          string
	}{
		{"there", "1", nil, 409, "ResourceConflictException: Alias already exists: " + arn + ":there"},
		{"12", "1", nil, 400, validation + "'12' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: " + aliasPattern},
		{"new", "7", nil, 404, "ResourceNotFoundException: Function not found: " + arn + ":7"},
		{"new", "1", map[string]float64{"7": 0.5}, 404, "ResourceNotFoundException: Function not found: " + arn + ":7"},
		{"new", "1", map[string]float64{"2": 0.5, "3": 0.1}, 400, "InvalidParameterValueException: Number of items in AdditionalVersionWeights cannot be greater than 1"},
		{"new", "1", map[string]float64{"1": 0.5}, 400, "InvalidParameterValueException: Invalid function version 1. Function version 1 is already included in routing configuration."},
		{"new", "$LATEST", map[string]float64{"1": 0.5}, 400, "InvalidParameterValueException: $LATEST is not supported for an alias pointing to more than 1 version"},
		{"new", "1", map[string]float64{"2": 2}, 400, validation + "'{2=2}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]"},
	} {
		in := &CreateAliasInput{FunctionName: ptr("f"), Name: ptr(c.name), FunctionVersion: ptr(c.version)}
		if c.weights != nil {
			in.RoutingConfig = &AliasRoutingConfiguration{AdditionalVersionWeights: c.weights}
		}
		b.refused("CreateAlias", in, c.status, c.want)
	}
	b.refused("UpdateAlias", &UpdateAliasInput{FunctionName: ptr("f"), Name: ptr("there"), RevisionId: ptr("x")}, 412, "PreconditionFailedException: The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	b.refused("GetAlias", &GetAliasInput{FunctionName: ptr("f"), Name: ptr("x")}, 404, "ResourceNotFoundException: Cannot find alias arn: "+arn+":x")
}

func TestDeletingAFunctionDeletesAllThatBelongsToIt(t *testing.T) {
	b := newBench(t)
	b.create("f", inVPC([]string{"subnet-0000000a"}, []string{"sg-0000000a"}), func(in *CreateFunctionInput) { in.Publish = ptr(true) })
	must[CreateAliasOutput](b, "CreateAlias", &CreateAliasInput{FunctionName: ptr("f"), Name: ptr("live"), FunctionVersion: ptr("1")})
	must[DeleteFunctionOutput](b, "DeleteFunction", &DeleteFunctionInput{FunctionName: ptr("f")})
	if len(b.interfaces()) != 0 || len(versionsOf(b.state.View(), "f")) != 0 || len(aliasesOf(b.state.View(), "f")) != 0 {
		t.Error("something is left")
	}
	if got := fmt.Sprint(b.fake.drained); got != "[f f:1]" {
		t.Errorf("drained %s", got)
	}
	b.create("f")
	if got := b.publish("f"); got != "1" {
		t.Errorf("a new function starts with version %s", got)
	}
}
