package lambda

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// codeError puts the code store's errors into AWS's words.
func codeError(err error) error {
	switch {
	case errors.Is(err, errTooBig):
		return invalid("Unzipped size must be smaller than %d bytes", maxUnzipped)
	case errors.Is(err, errEmptyZip):
		return invalid("Uploaded file must be a non-empty zip")
	case errors.Is(err, errBadZip):
		return invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	return err
}

// configuration describes a function that is settled.
func configuration(f *resource.Function, arn string) *FunctionConfiguration {
	out := &FunctionConfiguration{
		FunctionName: &f.Name, FunctionArn: &arn, Version: ptr(versionOf(f)), PackageType: ptr("Zip"),
		Runtime: &f.Runtime, Handler: &f.Handler, Role: &f.Role, Description: &f.Description,
		Timeout: ptr(int64(f.Timeout)), MemorySize: ptr(int64(f.MemorySize)), Architectures: f.Architectures,
		CodeSize: &f.CodeSize, CodeSha256: &f.CodeSHA256, RevisionId: &f.RevisionID,
		LastModified:         ptr(written(f.LastModified)),
		EphemeralStorage:     &EphemeralStorage{Size: ptr(int64(f.EphemeralStorageSize))},
		TracingConfig:        &TracingConfigResponse{Mode: &f.TracingMode},
		LoggingConfig:        &LoggingConfig{LogFormat: &f.LogFormat, LogGroup: &f.LogGroup, ApplicationLogLevel: text(f.ApplicationLogLevel), SystemLogLevel: text(f.SystemLogLevel)},
		SnapStart:            &SnapStartResponse{ApplyOn: ptr("None"), OptimizationStatus: ptr("Off")},
		RuntimeVersionConfig: &RuntimeVersionConfig{RuntimeVersionArn: ptr(runtimeVersionARN(f))},
		State:                ptr("Active"), LastUpdateStatus: ptr("Successful"),
	}
	if len(f.Environment) > 0 {
		out.Environment = &EnvironmentResponse{Variables: f.Environment}
	}
	for _, l := range f.Layers {
		out.Layers = append(out.Layers, Layer{Arn: ptr(l.ARN), CodeSize: ptr(l.CodeSize)})
	}
	out.VpcConfig = describeVPC(f.VPCConfig)
	return out
}

// written is a time as Lambda writes it.
func written(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000+0000") }

func describeVPC(c *resource.FunctionVPCConfig) *VpcConfigResponse {
	if c == nil {
		return nil
	}
	out := &VpcConfigResponse{VpcId: ptr(string(c.VPCID)), Ipv6AllowedForDualStack: &c.IPv6AllowedForDualStack}
	for _, id := range c.SubnetIDs {
		out.SubnetIds = append(out.SubnetIds, string(id))
	}
	for _, id := range c.GroupIDs {
		out.SecurityGroupIds = append(out.SecurityGroupIds, string(id))
	}
	return out
}

// runtimeVersionARN names the runtime's version: there is one of each here, so the hash is of its name.
func runtimeVersionARN(f *resource.Function) string {
	h := sha256.Sum256([]byte(f.Runtime))
	region := strings.Split(f.ARN, ":")[3]
	return "arn:aws:lambda:" + region + "::runtime:" + hex.EncodeToString(h[:])
}

func (s *Service) getFunction(v *state.View, call *api.Call, in *GetFunctionInput) (*GetFunctionOutput, error) {
	f, n, err := findFunction(v, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	unqualified, _ := state.Get[*resource.Function](v, f.Name)
	out := &GetFunctionOutput{
		Configuration: configuration(f, n.arn(v)), Tags: unqualified.Tags,
		Code: &FunctionCodeLocation{RepositoryType: ptr("S3"), Location: s.location(call, f.CodeKey)},
	}
	if f.ReservedConcurrency != nil {
		out.Concurrency = &Concurrency{ReservedConcurrentExecutions: ptr(int64(*f.ReservedConcurrency))}
	}
	return out, nil
}

func (s *Service) getFunctionConfiguration(v *state.View, _ *api.Call, in *GetFunctionConfigurationInput) (*GetFunctionConfigurationOutput, error) {
	f, n, err := findFunction(v, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return configuration(f, n.arn(v)), nil
}

// The page sizes of lists.
const (
	maxListed   = 50
	maxVersions = 10000
)

func (s *Service) listFunctions(v *state.View, _ *api.Call, in *ListFunctionsInput) (*ListFunctionsOutput, error) {
	if fv := value(in.FunctionVersion); fv != "" && fv != "ALL" {
		return nil, constraint(fv, "functionVersion", "Member must satisfy enum value set: [ALL]")
	}
	after := value(in.Marker)
	found := state.Select(v, func(f *resource.Function) bool { return f.Name > after })
	out := &ListFunctionsOutput{Functions: []FunctionConfiguration{}}
	limit := pageSize(in.MaxItems, maxListed)
	for i, f := range found {
		if len(out.Functions) >= limit {
			out.NextMarker = &found[i-1].Name
			break
		}
		if in.FunctionVersion == nil {
			out.Functions = append(out.Functions, *listed(f, f.ARN))
			continue
		}
		out.Functions = append(out.Functions, *listed(f, f.ARN+":"+latest))
		for n := 1; n <= f.Published; n++ { // a page may be longer than asked for, so that a function stays in one
			if p, ok := findVersion(v, f.Name, strconv.Itoa(n)); ok {
				out.Functions = append(out.Functions, *listed(&p.Function, f.ARN+":"+p.Version))
			}
		}
	}
	return out, nil
}

// listed describes a function in a list, which leaves out what takes AWS a look at the function itself.
func listed(f *resource.Function, arn string) *FunctionConfiguration {
	c := configuration(f, arn)
	c.State, c.LastUpdateStatus, c.RuntimeVersionConfig = nil, nil, nil
	return c
}

func pageSize(limit *int64, most int) int {
	if n := int(value(limit)); n > 0 && n < most {
		return n
	}
	return most
}

func (s *Service) deleteFunction(ctx context.Context, _ *api.Call, in *DeleteFunctionInput) (*DeleteFunctionOutput, error) {
	if in.Qualifier != nil && *in.Qualifier == latest {
		return nil, invalid("$LATEST version cannot be deleted without deleting the function.")
	}
	var deleted []*resource.Function
	err := s.commit(ctx, func(tx *state.Tx) error {
		f, n, err := findFunction(tx, in.FunctionName, in.Qualifier)
		if err != nil {
			return err
		}
		switch n.Qualifier {
		case "":
			deleted = deleteAll(tx, f)
		case latest:
			return invalid("$LATEST version cannot be deleted without deleting the function.")
		default:
			v, err := deleteVersion(tx, f, n)
			if err != nil {
				return err
			}
			deleted = []*resource.Function{v}
		}
		for _, f := range deleted {
			vpcnet.ReleaseLambdaInterfaces(tx, interfacesOf(f))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.provision()
	for _, f := range deleted {
		s.letGo(f)
	}
	return &DeleteFunctionOutput{}, nil
}

// letGo ends the environments of a function that is gone or changed, and its code unless something else uses it.
func (s *Service) letGo(f *resource.Function) {
	s.config.Executor.Drain(f.Qualified())
	s.config.Code.Collect(f.CodeKey)
	for _, l := range f.Layers {
		s.config.Code.Collect(l.CodeKey)
	}
}

func (s *Service) getCodeSigningConfig(v *state.View, _ *api.Call, in *GetFunctionCodeSigningConfigInput) (*GetFunctionCodeSigningConfigOutput, error) {
	f, _, err := findFunction(v, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	return &GetFunctionCodeSigningConfigOutput{CodeSigningConfigArn: ptr(""), FunctionName: &f.Name}, nil
}
