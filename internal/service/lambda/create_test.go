package lambda

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

func TestANewFunctionIsPendingInTheAnswerAndActiveAfterwards(t *testing.T) {
	b := newBench(t)
	got := b.create("demo", func(in *CreateFunctionInput) {
		inVPC([]string{"subnet-0000000a"}, []string{"sg-0000000a"})(in)
		in.Timeout, in.Environment, in.Tags = ptr(int64(30)), &Environment{Variables: map[string]string{"BUCKET_NAME": "b"}}, map[string]string{"k": "v"}
		in.Description, in.PackageType = ptr(""), ptr("Zip")
	})
	f := b.function("demo")
	want := &FunctionConfiguration{
		Architectures: []string{"x86_64"}, CodeSha256: &f.CodeSHA256, CodeSize: &f.CodeSize, Description: ptr(""),
		Environment:      &EnvironmentResponse{Variables: map[string]string{"BUCKET_NAME": "b"}},
		EphemeralStorage: &EphemeralStorage{Size: ptr(int64(512))}, FunctionArn: ptr("arn:aws:lambda:us-west-2:000000000000:function:demo"),
		FunctionName: ptr("demo"), Handler: ptr("lambda_function.lambda_handler"), LastModified: ptr("2026-11-24T12:00:00.000+0000"),
		LoggingConfig: &LoggingConfig{LogFormat: ptr("Text"), LogGroup: ptr("/aws/lambda/demo")}, MemorySize: ptr(int64(128)),
		PackageType: ptr("Zip"), RevisionId: &f.RevisionID, Role: ptr(testRole), Runtime: ptr("python3.9"),
		RuntimeVersionConfig: &RuntimeVersionConfig{RuntimeVersionArn: ptr(runtimeVersionARN(f))},
		SnapStart:            &SnapStartResponse{ApplyOn: ptr("None"), OptimizationStatus: ptr("Off")},
		State:                ptr("Pending"), StateReason: ptr("The function is being created."), StateReasonCode: ptr("Creating"),
		Timeout: ptr(int64(30)), TracingConfig: &TracingConfigResponse{Mode: ptr("PassThrough")}, Version: ptr("$LATEST"),
		VpcConfig: &VpcConfigResponse{VpcId: ptr("vpc-00000001"), SubnetIds: []string{"subnet-0000000a"}, SecurityGroupIds: []string{"sg-0000000a"}, Ipv6AllowedForDualStack: ptr(false)},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("CreateFunction (-got +want):\n%s", diff)
	}
	want.State, want.StateReason, want.StateReasonCode, want.LastUpdateStatus = ptr("Active"), nil, nil, ptr("Successful")
	out := must[GetFunctionOutput](b, "GetFunction", &GetFunctionInput{FunctionName: ptr("demo")})
	if diff := cmp.Diff(out, &GetFunctionOutput{
		Code: &FunctionCodeLocation{RepositoryType: ptr("S3")}, Configuration: want, Tags: map[string]string{"k": "v"},
	}); diff != "" {
		t.Errorf("GetFunction (-got +want):\n%s", diff)
	}
	if len(f.RevisionID) != 36 || len(b.settled) != 1 || !b.code.Has(f.CodeKey) {
		t.Errorf("revision %s, settled %v, code there %v", f.RevisionID, b.settled, b.code.Has(f.CodeKey))
	}
}

func TestWhatAWSRefusesIsRefusedInItsWords(t *testing.T) {
	b := newBench(t)
	b.create("there")
	good := makeZip(t, entry{"a", 0o644, "x"})
	big := "x" + strings.Repeat("y", 4096)
	many := func(n int) map[string]string {
		out := map[string]string{}
		for i := range n {
			out[fmt.Sprint("k", i)] = ""
		}
		return out
	}
	const invalid, validation = "InvalidParameterValueException: ", "ValidationException: 1 validation error detected: "
	for _, c := range []struct {
		what   string
		change func(*CreateFunctionInput)
		status int
		want   string
	}{
		{"exists", func(in *CreateFunctionInput) { in.FunctionName = ptr("there") }, 409, "ResourceConflictException: Function already exist: there"},
		{"name", func(in *CreateFunctionInput) { in.FunctionName = ptr("a b") }, 400, validation + "Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: " + functionNamePattern},
		{"long name", func(in *CreateFunctionInput) { in.FunctionName = ptr(strings.Repeat("n", 65)) }, 400, validation + "Value '" + strings.Repeat("n", 65) + "' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{"region", func(in *CreateFunctionInput) {
			in.FunctionName = ptr("arn:aws:lambda:ap-southeast-1:000000000000:function:f")
		}, 404, "ResourceNotFoundException: Functions from 'ap-southeast-1' are not reachable in this region ('us-west-2')"},
		{"role", func(in *CreateFunctionInput) { in.Role = ptr("r1") }, 400, validation + `Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`},
		{"no handler", func(in *CreateFunctionInput) { in.Handler = nil }, 400, invalid + "Runtime and Handler are mandatory parameters for functions created with deployment packages."},
		{"handler", func(in *CreateFunctionInput) { in.Handler = ptr("a b") }, 400, validation + `Value 'a b' at 'handler' failed to satisfy constraint: Member must satisfy regular expression pattern: [^\s]+`},
		{"timeout", func(in *CreateFunctionInput) { in.Timeout = ptr(int64(901)) }, 400, validation + "Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900"},
		{"unknown runtime", func(in *CreateFunctionInput) { in.Runtime = ptr("cobol85") }, 400, invalid + "Value cobol85 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [" + strings.Join(append(runtimes(), foreignRuntimes()...), ", ") + "] or be a valid ARN"},
		{"retired runtime", func(in *CreateFunctionInput) { in.Runtime = ptr("python3.8") }, 400, invalid + "The runtime parameter of python3.8 is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions."},
		{"foreign runtime", func(in *CreateFunctionInput) { in.Runtime = ptr("java21") }, 400, invalid + "Culvert does not support the runtime java21: it runs python, nodejs and provided runtimes."},
		{"architecture", func(in *CreateFunctionInput) { in.Architectures = []string{"arm64"} }, 400, invalid + "Culvert does not support the architecture arm64 on this machine: functions run on x86_64."},
		{"image", func(in *CreateFunctionInput) { in.PackageType = ptr("Image") }, 400, invalid + "Culvert does not support functions from container images: PackageType must be Zip."},
		{"image uri", func(in *CreateFunctionInput) { in.Code.ImageUri = ptr("x") }, 400, invalid + "Culvert does not support functions from container images: PackageType must be Zip."},
		{"many layers", func(in *CreateFunctionInput) { in.Layers = make([]string, 6) }, 400, invalid + "Cannot reference more than 5 layers."},
		{"dead letters", func(in *CreateFunctionInput) { in.DeadLetterConfig = &DeadLetterConfig{TargetArn: ptr("a")} }, 400, invalid + "Culvert does not support dead letter queues."},
		{"file systems", func(in *CreateFunctionInput) { in.FileSystemConfigs = make([]FileSystemConfig, 1) }, 400, invalid + "Culvert does not support file system configurations."},
		{"snap start", func(in *CreateFunctionInput) { in.SnapStart = &SnapStart{ApplyOn: ptr("PublishedVersions")} }, 400, invalid + "Culvert does not support SnapStart."},
		{"tracing", func(in *CreateFunctionInput) { in.TracingConfig = &TracingConfig{Mode: ptr("Active")} }, 400, invalid + "Culvert does not support active tracing."},
		{"log level of text", func(in *CreateFunctionInput) { in.LoggingConfig = &LoggingConfig{SystemLogLevel: ptr("WARN")} }, 400, invalid + "Log levels can only be set when LogFormat is JSON."},
		{"log group", func(in *CreateFunctionInput) { in.LoggingConfig = &LoggingConfig{LogGroup: ptr("a:b")} }, 400, validation + `Value 'a:b' at 'loggingConfig.logGroup' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`},
		{"image config", func(in *CreateFunctionInput) { in.ImageConfig = &ImageConfig{} }, 400, invalid + "Culvert does not support functions from container images, so ImageConfig cannot be given."},
		{"key", func(in *CreateFunctionInput) { in.KMSKeyArn = ptr("k") }, 400, invalid + "Culvert does not support encrypting environment variables with a KMS key."},
		{"signing", func(in *CreateFunctionInput) { in.CodeSigningConfigArn = ptr("k") }, 400, invalid + "Culvert does not support code signing."},
		{"tags", func(in *CreateFunctionInput) { in.Tags = many(51) }, 400, invalid + "A resource cannot have more than 50 tags."},
		{"reserved variable", func(in *CreateFunctionInput) {
			in.Environment = &Environment{Variables: map[string]string{"AWS_REGION": "x", "GOOD": "y", "_HANDLER": "z"}}
		}, 400, invalid + "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION, _HANDLER"},
		{"variable name", func(in *CreateFunctionInput) {
			in.Environment = &Environment{Variables: map[string]string{"1a": "secret"}}
		}, 400, validation + "Value '1a' at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"},
		{"big environment", func(in *CreateFunctionInput) {
			in.Environment = &Environment{Variables: map[string]string{"BIG": big}}
		}, 400, invalid + `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {"BIG":"` + big + `"}`},
		{"no code", func(in *CreateFunctionInput) { in.Code = &FunctionCode{} }, 400, invalid + "Please provide a source for function code."},
		{"two codes", func(in *CreateFunctionInput) { in.Code = &FunctionCode{ZipFile: good, S3Bucket: ptr("b")} }, 400, invalid + "Please do not provide other FunctionCode parameters when providing a ZipFile."},
		{"bad zip", func(in *CreateFunctionInput) { in.Code = &FunctionCode{ZipFile: []byte("zip?")} }, 400, invalid + "Could not unzip uploaded file. Please check your file, then try to upload again."},
		{"empty zip", func(in *CreateFunctionInput) { in.Code = &FunctionCode{ZipFile: makeZip(t)} }, 400, invalid + "Uploaded file must be a non-empty zip"},
		{"big zip", func(in *CreateFunctionInput) { in.Code = &FunctionCode{ZipFile: make([]byte, maxZipped+1)} }, 413, "RequestEntityTooLargeException: Zipped size must be smaller than 52428800 bytes"},
		{"unzips to too much", func(in *CreateFunctionInput) { in.Code = &FunctionCode{ZipFile: zipOfZeros(t, maxUnzipped+1)} }, 400, invalid + "Unzipped size must be smaller than 262144000 bytes"},
		{"code in S3", func(in *CreateFunctionInput) { in.Code = &FunctionCode{S3Bucket: ptr("b"), S3Key: ptr("k")} }, 400, invalid + "Culvert does not support code in S3 here."},

		{"groups without subnets", inVPC(nil, []string{"sg-0000000a"}), 400, invalid + "SubnetIds and SecurityIds must coexist or be both empty list."},
		{"unknown subnet", inVPC([]string{"subnet-00000000000000000"}, []string{"sg-0000000a"}), 400, invalid + "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID 'subnet-00000000000000000' does not exist"},
		{"unknown group", inVPC([]string{"subnet-0000000a"}, []string{"sg-00000000000000000"}), 400, invalid + "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error Message: The security group 'sg-00000000000000000' does not exist"},
		{"malformed subnet", inVPC([]string{"bad"}, []string{"sg-0000000a"}), 400, validation + "Value '[bad]' at 'vpcConfig.subnetIds' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: ^subnet-[0-9a-z]*$]"},
		{"two VPCs", inVPC([]string{"subnet-0000000a", "subnet-0000000f"}, []string{"sg-0000000a"}), 400, invalid + "Subnets are required to be in the same VPC."},
		{"group of another VPC", inVPC([]string{"subnet-0000000a"}, []string{"sg-0000000f"}), 400, invalid + "Security Groups are required to be in the same VPC."},
		{"dual stack", func(in *CreateFunctionInput) {
			inVPC([]string{"subnet-0000000a"}, []string{"sg-0000000a"})(in)
			in.VpcConfig.Ipv6AllowedForDualStack = ptr(true)
		}, 400, invalid + "Ipv6AllowedForDualStack requires that every subnet has an IPv6 CIDR block: subnet-0000000a has none."},
	} {
		t.Run(c.what, func(t *testing.T) {
			in := input("f", good)
			c.change(in)
			b := &bench{T: t, service: b.service, state: b.state}
			b.refused("CreateFunction", in, c.status, c.want)
		})
	}
	if got := tree(t, b.code.dir); len(got) != 2 {
		t.Errorf("refused calls left code behind: %v", got)
	}
	if got := b.interfaces(); len(got) != 0 {
		t.Errorf("refused calls left interfaces behind: %v", got)
	}
}

func zipOfZeros(t *testing.T, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("zeros")
	if err == nil {
		_, err = io.CopyN(w, zeroReader{}, size)
	}
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRolesAreChecked(t *testing.T) {
	b := newBench(t)
	in := input("f", makeZip(t, entry{"a", 0o644, "x"}))
	b.roles.untrusted = true
	b.refused("CreateFunction", in, 400, "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda.")
	b.roles.untrusted = false
	inVPC([]string{"subnet-0000000a"}, []string{"sg-0000000a"})(in)
	for _, action := range []string{"CreateNetworkInterface", "DescribeNetworkInterfaces", "DeleteNetworkInterface"} {
		b.roles.denied = "ec2:" + action
		b.refused("CreateFunction", in, 400, "InvalidParameterValueException: The provided execution role does not have permissions to call "+action+" on EC2")
	}
	b.roles.denied = ""
	must[CreateFunctionOutput](b, "CreateFunction", in)
	b.roles.denied = "ec2:CreateNetworkInterface"
	b.refused("UpdateFunctionConfiguration", &UpdateFunctionConfigurationInput{FunctionName: ptr("f"), Role: ptr(testRole)}, 400,
		"InvalidParameterValueException: The provided execution role does not have permissions to call CreateNetworkInterface on EC2")
}

func TestEveryRuntimeThatRunsIsAccepted(t *testing.T) {
	b := newBench(t)
	for i, runtime := range runtimes() {
		out := b.create(fmt.Sprint("f", i), func(in *CreateFunctionInput) { in.Runtime = &runtime })
		if *out.Runtime != runtime {
			t.Errorf("got %s, want %s", *out.Runtime, runtime)
		}
	}
}

func TestCodeComesFromS3(t *testing.T) {
	zipped := makeZip(t, entry{"a", 0o644, "from S3"})
	b := newBench(t, func(c *Config) {
		c.FetchObject = func(_ context.Context, _ *api.Call, bucket, key, version string) (io.ReadCloser, error) {
			if bucket != "b" || version != "" {
				return nil, errors.New("the disk is on fire")
			}
			if key != "k" {
				return nil, api.Errorf("NoSuchKey", "The specified key does not exist.").WithStatus(404)
			}
			return io.NopCloser(bytes.NewReader(zipped)), nil
		}
	})
	b.create("f", func(in *CreateFunctionInput) { in.Code = &FunctionCode{S3Bucket: ptr("b"), S3Key: ptr("k")} })
	if got := b.function("f").CodeSize; got != int64(len(zipped)) {
		t.Errorf("got size %d, want %d", got, len(zipped))
	}
	in := input("g", nil)
	in.Code = &FunctionCode{S3Bucket: ptr("b"), S3Key: ptr("missing")}
	b.refused("CreateFunction", in, 400, "InvalidParameterValueException: Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.")
	in.Code = &FunctionCode{S3Bucket: ptr("other"), S3Key: ptr("k")}
	if _, err := call[struct{}](b, "CreateFunction", in); err == nil || api.AsError(err) != nil {
		t.Errorf("got %v, want an internal error", err)
	}
	in.Code = &FunctionCode{S3Bucket: ptr("b")}
	b.refused("CreateFunction", in, 400, "InvalidParameterValueException: S3Bucket and S3Key are both needed for code in S3.")
}

func TestInterfacesAreSharedAndGoWithTheLastFunction(t *testing.T) {
	b := newBench(t)
	two, ab := []string{"subnet-0000000a", "subnet-0000000b", "subnet-0000000a"}, []string{"sg-0000000a", "sg-0000000b"}
	b.create("one", inVPC(two, ab))
	b.create("two", inVPC(two[:1], []string{"sg-0000000b", "sg-0000000a"}))
	b.create("other", inVPC(two[:1], ab[:1]))
	if got := len(b.interfaces()); got != 3 {
		t.Fatalf("got %d interfaces, want 3", got)
	}
	if one, two := b.function("one").VPCConfig, b.function("two").VPCConfig; one.NetworkInterfaceIDs[0] != two.NetworkInterfaceIDs[0] || len(one.SubnetIDs) != 2 {
		t.Errorf("one is in %v, two in %v; want them to share", one, two)
	}
	must[DeleteFunctionOutput](b, "DeleteFunction", &DeleteFunctionInput{FunctionName: ptr("one")})
	if got := len(b.interfaces()); got != 2 {
		t.Errorf("got %d interfaces after one is gone, want 2", got)
	}
	must[UpdateFunctionConfigurationOutput](b, "UpdateFunctionConfiguration", &UpdateFunctionConfigurationInput{
		FunctionName: ptr("two"), VpcConfig: &VpcConfig{SubnetIds: []string{"subnet-0000000b"}, SecurityGroupIds: ab},
	})
	if got := b.interfaces(); len(got) != 2 {
		t.Errorf("got %d interfaces after two moved, want 2", len(got))
	}
	out := must[UpdateFunctionConfigurationOutput](b, "UpdateFunctionConfiguration", &UpdateFunctionConfigurationInput{FunctionName: ptr("two"), VpcConfig: &VpcConfig{}})
	if got := len(b.interfaces()); got != 1 || out.VpcConfig != nil {
		t.Errorf("got %d interfaces and %v after two left its VPC, want 1 and nothing", got, out.VpcConfig)
	}
	must[DeleteFunctionOutput](b, "DeleteFunction", &DeleteFunctionInput{FunctionName: ptr("other")})
	if got := len(b.interfaces()); got != 0 {
		t.Errorf("got %d interfaces in the end, want none", got)
	}
	if diff := cmp.Diff(b.fake.drained, []string{"one", "two", "two", "other"}); diff != "" {
		t.Errorf("drained (-got +want):\n%s", diff)
	}
}

func TestADualStackFunctionHasIPv6InItsSubnets(t *testing.T) {
	b := newBench(t)
	b.update(func(tx *state.Tx) {
		s, _ := state.Get[*resource.Subnet](tx, "subnet-0000000a")
		dual := *s
		dual.IPv6CIDR = netip.MustParsePrefix("2001:db8::/64")
		tx.Put(&dual)
	})
	in := input("f", makeZip(t, entry{"a", 0o644, "x"}))
	inVPC([]string{"subnet-0000000a"}, []string{"sg-0000000a"})(in)
	in.VpcConfig.Ipv6AllowedForDualStack = ptr(true)
	before := len(b.interfaces())
	made, err := b.service.createFunction(context.Background(), &api.Call{}, in)
	if err != nil {
		t.Fatal(err)
	}
	if !value(made.VpcConfig.Ipv6AllowedForDualStack) {
		t.Error("the answer does not say that IPv6 is allowed")
	}
	got := b.interfaces()
	if len(got) != before+1 || len(got[before].IPv6Addresses) != 1 {
		t.Errorf("interfaces are %+v", got)
	}
}

func TestASubnetWithoutAddressesIsRefused(t *testing.T) {
	b := newBench(t)
	b.update(func(tx *state.Tx) {
		s, _ := state.Get[*resource.Subnet](tx, "subnet-0000000c")
		first, last := state.UsableAddresses(s.CIDR)
		for a := first; a.Compare(last) <= 0; a = a.Next() {
			eni := &resource.NetworkInterface{ID: resource.NetworkInterfaceID(tx.NewID("eni")), SubnetID: s.ID}
			eni.PrivateIPs = append(eni.PrivateIPs, a)
			tx.Put(eni)
		}
	})
	in := input("f", makeZip(t, entry{"a", 0o644, "x"}))
	inVPC([]string{"subnet-0000000a", "subnet-0000000c"}, []string{"sg-0000000a"})(in)
	before := len(b.interfaces())
	b.refused("CreateFunction", in, 400, "InvalidParameterValueException: Error occurred while CreateNetworkInterface. EC2 Error Code: InsufficientFreeAddressesInSubnet. "+
		"EC2 Error Message: The specified subnet does not have enough free addresses to satisfy the request.")
	if got := len(b.interfaces()); got != before {
		t.Errorf("%d interfaces were left behind", got-before)
	}
}

func TestOfManyCreatorsOneWins(t *testing.T) {
	b := newBench(t)
	var mu sync.Mutex
	var errs []string
	var wait sync.WaitGroup
	b.service.config.Settle = nil
	for i := range 8 {
		zipped := makeZip(t, entry{"a", 0o644, fmt.Sprint(i)})
		wait.Go(func() {
			_, err := b.service.createFunction(context.Background(), &api.Call{}, input("f", zipped))
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err.Error())
			}
		})
	}
	wait.Wait()
	if len(errs) != 7 || errs[0] != "ResourceConflictException: Function already exist: f" {
		t.Errorf("got errors %v, want 7 conflicts", errs)
	}
	if got := tree(t, b.code.dir); len(got) != 2 || !strings.HasSuffix(got[0], b.function("f").CodeKey) {
		t.Errorf("the store holds %v, want the winner's code", got)
	}
}

func TestWhoGivesAFunctionARoleMustBeAllowedToPassIt(t *testing.T) {
	b := newBench(t)
	want := []service.Need{{Action: "iam:PassRole", Resource: testRole, Keys: map[string][]string{"iam:passedtoservice": {"lambda.amazonaws.com"}}}}
	for _, o := range b.service.Definition().Operations {
		var got, without []service.Need
		switch o.Name {
		case "CreateFunction":
			got = o.Needs(b.state.View(), &CreateFunctionInput{Role: ptr(testRole)})
			without = o.Needs(b.state.View(), &CreateFunctionInput{})
		case "UpdateFunctionConfiguration":
			got = o.Needs(b.state.View(), &UpdateFunctionConfigurationInput{Role: ptr(testRole)})
			without = o.Needs(b.state.View(), &UpdateFunctionConfigurationInput{Handler: ptr("h")})
		default:
			if o.Needs != nil {
				t.Errorf("%s needs something more", o.Name)
			}
			continue
		}
		if d := cmp.Diff(want, got); d != "" || without != nil {
			t.Errorf("%s needs (-want +got):\n%s\nand without a role %v", o.Name, d, without)
		}
	}
}
