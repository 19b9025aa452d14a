package lambda

import (
	"fmt"
	"strings"
	"testing"
)

const layerPrefix = "arn:aws:lambda:us-west-2:000000000000:layer:"

func (b *bench) layer(name, content string) *PublishLayerVersionOutput {
	b.Helper()
	return must[PublishLayerVersionOutput](b, "PublishLayerVersion", &PublishLayerVersionInput{
		LayerName: &name, CompatibleRuntimes: []string{"python3.12"}, Content: &LayerVersionContentInput{ZipFile: makeZip(b, entry{"python/m.py", 0o644, content})},
	})
}

func TestLayersArePublishedListedAndDeleted(t *testing.T) {
	b := newBench(t)
	one, two := b.layer("l", "one"), b.layer("l", "two")
	b.layer("other", "three")
	if *one.LayerVersionArn != layerPrefix+"l:1" || *two.Version != 2 || *two.LayerArn != layerPrefix+"l" || *one.CreatedDate != "2026-11-24T12:00:00.000+0000" {
		t.Errorf("got %s %d %s %s", *one.LayerVersionArn, *two.Version, *two.LayerArn, *one.CreatedDate)
	}
	versions := must[ListLayerVersionsOutput](b, "ListLayerVersions", &ListLayerVersionsInput{LayerName: ptr("l"), CompatibleRuntime: ptr("python3.12")})
	if len(versions.LayerVersions) != 2 || *versions.LayerVersions[0].Version != 2 {
		t.Errorf("versions, newest first: %v", versions.LayerVersions)
	}
	if got := must[ListLayerVersionsOutput](b, "ListLayerVersions", &ListLayerVersionsInput{LayerName: ptr("l"), CompatibleRuntime: ptr("nodejs22.x")}); len(got.LayerVersions) != 0 {
		t.Errorf("versions for another runtime: %v", got.LayerVersions)
	}
	layers := must[ListLayersOutput](b, "ListLayers", &ListLayersInput{MaxItems: ptr(int64(1))})
	if len(layers.Layers) != 1 || *layers.Layers[0].LatestMatchingVersion.Version != 2 || layers.NextMarker == nil {
		t.Errorf("layers: %v", layers)
	}
	byARN := must[GetLayerVersionByArnOutput](b, "GetLayerVersionByArn", &GetLayerVersionByArnInput{Arn: one.LayerVersionArn})
	if *byARN.Content.CodeSha256 != *one.Content.CodeSha256 {
		t.Errorf("by ARN: %v", byARN)
	}
	for range 2 { // the second time there is nothing to delete
		must[DeleteLayerVersionOutput](b, "DeleteLayerVersion", &DeleteLayerVersionInput{LayerName: ptr("l"), VersionNumber: ptr(int64(2))})
	}
	b.refused("GetLayerVersion", &GetLayerVersionInput{LayerName: ptr("l"), VersionNumber: ptr(int64(2))}, 404, "ResourceNotFoundException: The resource you requested does not exist.")
	if three := b.layer("l", "again"); *three.Version != 3 {
		t.Errorf("a number was given twice: %d", *three.Version)
	}
}

func TestAFunctionKeepsItsLayersWhenTheyAreDeleted(t *testing.T) {
	b := newBench(t)
	arn := *b.layer("l", "one").LayerVersionArn
	out := b.create("f", func(in *CreateFunctionInput) { in.Layers = []string{arn} })
	if len(out.Layers) != 1 || *out.Layers[0].Arn != arn {
		t.Errorf("got layers %v", out.Layers)
	}
	key := b.function("f").Layers[0].CodeKey
	must[DeleteLayerVersionOutput](b, "DeleteLayerVersion", &DeleteLayerVersionInput{LayerName: ptr("l"), VersionNumber: ptr(int64(1))})
	if !b.code.Has(key) {
		t.Fatal("the layer's code is gone while a function uses it")
	}
	must[UpdateFunctionConfigurationOutput](b, "UpdateFunctionConfiguration", &UpdateFunctionConfigurationInput{FunctionName: ptr("f"), Layers: []string{arn}})
	must[InvokeOutput](b, "Invoke", &InvokeInput{FunctionName: ptr("f")})
	must[UpdateFunctionConfigurationOutput](b, "UpdateFunctionConfiguration", &UpdateFunctionConfigurationInput{FunctionName: ptr("f"), Layers: []string{}})
	if b.code.Has(key) {
		t.Error("the layer's code is there although nobody uses it")
	}
}

func TestLayersThatAWSRefusesAreRefused(t *testing.T) {
	b := newBench(t)
	one := *b.layer("l", "one").LayerVersionArn
	b.layer("l", "two")
	const invalid = "InvalidParameterValueException: "
	for _, c := range []struct {
		layers []string
		want   string
	}{
		{[]string{layerPrefix + "none:1"}, invalid + "Layer version " + layerPrefix + "none:1 does not exist."},
		{[]string{one, layerPrefix + "l:2"}, invalid + "Two different versions of the same layer are not allowed to be referenced in the same function. " + one + " and " + layerPrefix + "l:2 versions"},
		{[]string{"arn:aws:lambda:eu-west-1:000000000000:layer:l:1"}, invalid + "Layers are not in the same region as the function. Layers are expected to be in region us-west-2."},
	} {
		in := input("f", makeZip(t, entry{"a", 0o644, "x"}))
		in.Layers = c.layers
		b.refused("CreateFunction", in, 400, c.want)
	}
	big := must[PublishLayerVersionOutput](b, "PublishLayerVersion", &PublishLayerVersionInput{LayerName: ptr("big"), Content: &LayerVersionContentInput{ZipFile: zipOfZeros(t, maxUnzipped-1)}})
	in := input("f", makeZip(t, entry{"a", 0o644, "xx"}))
	in.Layers = []string{*big.LayerVersionArn}
	b.refused("CreateFunction", in, 400, fmt.Sprintf("%sFunction code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is %d bytes.", invalid, maxUnzipped+1))
	if _, err := call[struct{}](b, "PublishLayerVersion", &PublishLayerVersionInput{LayerName: ptr("l"), Content: &LayerVersionContentInput{ZipFile: []byte("no zip")}}); err == nil || !strings.Contains(err.Error(), "Could not unzip uploaded file") {
		t.Errorf("a layer that is no zip: %v", err)
	}
}

func TestWhoUsesALayerMustBeAllowedToReadIt(t *testing.T) {
	b := newBench(t)
	arn := *b.layer("l", "one").LayerVersionArn
	must[AddLayerVersionPermissionOutput](b, "AddLayerVersionPermission", &AddLayerVersionPermissionInput{
		LayerName: ptr("l"), VersionNumber: ptr(int64(1)), StatementId: ptr("s"), Action: ptr("lambda:GetLayerVersion"), Principal: ptr("000000000000"),
	})
	for _, o := range b.service.Definition().Operations {
		if o.Name != "CreateFunction" {
			continue
		}
		needs := o.Needs(b.state.View(), &CreateFunctionInput{Layers: []string{arn}})
		if len(needs) != 1 || needs[0].Action != "lambda:GetLayerVersion" || needs[0].Resource != arn || !strings.Contains(needs[0].Policy.Text, `"AWS":"arn:aws:iam::000000000000:root"`) {
			t.Errorf("got %v", needs)
		}
	}
}
