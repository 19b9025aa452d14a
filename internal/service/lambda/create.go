package lambda

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// What a function has if the caller does not say.
const (
	defaultTimeout = 3
	maxTimeout     = 900
	defaultMemory  = 128
	defaultStorage = 512
	maxTags        = 50
)

// lambdaPrincipal is Lambda as policies name it.
const lambdaPrincipal = "lambda.amazonaws.com"

// createFunction unpacks the code first, as that takes its time, and commits everything else at once.
func (s *Service) createFunction(ctx context.Context, call *api.Call, in *CreateFunctionInput) (*CreateFunctionOutput, error) {
	view := s.config.State.View()
	name, err := newName(view, value(in.FunctionName))
	if err != nil {
		return nil, err
	}
	f, err := s.newFunction(view, name, in)
	if err != nil {
		return nil, err
	}
	if err := s.checkNew(view, f); err != nil {
		return nil, err
	}
	if err := s.useLayers(view, f, in.Layers); err != nil {
		return nil, err
	}
	code, release, err := s.fetchCode(ctx, call, codeSource(*in.Code))
	if err != nil {
		return nil, err
	}
	defer release()
	f.CodeKey, f.CodeSHA256, f.CodeSize = code.Key, code.SHA256, code.Size
	made := f
	err = s.commit(ctx, func(tx *state.Tx) error {
		if err := s.checkNew(tx, f); err != nil {
			return err
		}
		f.Layers = nil // what was found before may be gone by now
		if err := s.useLayers(tx, f, in.Layers); err != nil {
			return err
		}
		if err := s.checkSize(f); err != nil {
			return err
		}
		vpc, err := s.placeInVPC(tx, f.Name, f.Role, in.VpcConfig)
		if err != nil {
			return err
		}
		f.VPCConfig = vpc
		touch(tx, f)
		tx.Put(f)
		if value(in.Publish) {
			v, _ := publish(tx, f, nil)
			made = &v.Function
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if agedRuntime(f.Runtime) {
		s.config.Log.Warn("AWS makes no functions with this runtime any more", "function", f.Name, "runtime", f.Runtime)
	}
	out := configuration(made, f.ARN)
	pending(out)
	return out, nil
}

func newName(r state.Reader, text string) (string, error) {
	n, err := resolveName(r, text, nil)
	if err != nil {
		return "", err
	}
	if n.Qualifier != "" || strings.Contains(n.Name, ".") {
		return "", constraint(text, "functionName", `Member must satisfy regular expression pattern: `+
			`(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)`)
	}
	return n.Name, nil
}

// checkNew checks what depends on the state. It is asked before the code is unpacked and again with the commit.
func (s *Service) checkNew(r state.Reader, f *resource.Function) error {
	if _, ok := state.Get[*resource.Function](r, f.Name); ok {
		return conflict("Function already exist: %s", f.Name)
	}
	return s.checkRole(r, f.Role)
}

func (s *Service) checkRole(r state.Reader, role string) error {
	if !s.config.Roles.AssumableBy(r, role, lambdaPrincipal) {
		return invalid("The role defined for the function cannot be assumed by Lambda.")
	}
	return nil
}

// newFunction makes a function of what a caller asks for, or says what is wrong with it.
func (s *Service) newFunction(r state.Reader, name string, in *CreateFunctionInput) (*resource.Function, error) {
	if in.PackageType != nil && *in.PackageType != "Zip" || in.Code != nil && in.Code.ImageUri != nil {
		return nil, unsupported("functions from container images: PackageType must be Zip")
	}
	if in.Runtime == nil || in.Handler == nil {
		return nil, invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if in.Code == nil {
		return nil, invalid("Please provide a source for function code.")
	}
	if value(in.CodeSigningConfigArn) != "" {
		return nil, unsupported("code signing")
	}
	if len(in.Tags) > maxTags {
		return nil, invalid("A resource cannot have more than %d tags.", maxTags)
	}
	if err := s.checkArchitectures(in.Architectures); err != nil {
		return nil, err
	}
	f := &resource.Function{
		Name: name, ARN: functionARN(r, name), Timeout: defaultTimeout, MemorySize: defaultMemory,
		Architectures: []string{s.config.Architecture}, EphemeralStorageSize: defaultStorage,
		TracingMode: "PassThrough", LogFormat: "Text", LogGroup: "/aws/lambda/" + name, Tags: in.Tags,
	}
	return f, newSettings(in).apply(f)
}

func (s *Service) checkArchitectures(wanted []string) error {
	for _, a := range wanted {
		switch {
		case a != "x86_64" && a != "arm64":
			return constraint(fmt.Sprint(wanted), "architectures", "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]")
		case a != s.config.Architecture:
			return unsupported("the architecture " + a + " on this machine: functions run on " + s.config.Architecture)
		}
	}
	return nil
}

// settings are what both making and changing a function may say. Nil members say nothing.
type settings struct {
	Role, Runtime, Handler, Description, KMSKeyArn *string
	Timeout, MemorySize                            *int64
	Environment                                    *Environment
	EphemeralStorage                               *EphemeralStorage
	TracingConfig                                  *TracingConfig
	LoggingConfig                                  *LoggingConfig
	VpcConfig                                      *VpcConfig
	DeadLetterConfig                               *DeadLetterConfig
	ImageConfig                                    *ImageConfig
	SnapStart                                      *SnapStart
	FileSystemConfigs                              []FileSystemConfig
	Layers                                         []string
}

func newSettings(in *CreateFunctionInput) settings {
	return settings{
		in.Role, in.Runtime, in.Handler, in.Description, in.KMSKeyArn, in.Timeout, in.MemorySize, in.Environment,
		in.EphemeralStorage, in.TracingConfig, in.LoggingConfig, in.VpcConfig, in.DeadLetterConfig, in.ImageConfig,
		in.SnapStart, in.FileSystemConfigs, in.Layers,
	}
}

// apply checks the settings and writes them into a function that is not stored yet, all but the VPC, which needs
// a transaction.
func (c settings) apply(f *resource.Function) error {
	for _, check := range []func() error{c.checkSupported, c.checkBasics, c.checkEnvironment, func() error { return checkVPCConfig(c.VpcConfig) }} {
		if err := check(); err != nil {
			return err
		}
	}
	set(&f.Role, c.Role)
	set(&f.Runtime, c.Runtime)
	set(&f.Handler, c.Handler)
	set(&f.Description, c.Description)
	setInt(&f.Timeout, c.Timeout)
	setInt(&f.MemorySize, c.MemorySize)
	if c.Environment != nil {
		f.Environment = c.Environment.Variables
	}
	if c.EphemeralStorage != nil {
		setInt(&f.EphemeralStorageSize, c.EphemeralStorage.Size)
	}
	return setLogging(f, c.LoggingConfig)
}

// setLogging sets how a function logs. Levels are of logs in JSON, where there is a level to tell.
func setLogging(f *resource.Function, c *LoggingConfig) error {
	if c == nil {
		return nil
	}
	set(&f.LogGroup, c.LogGroup)
	set(&f.LogFormat, c.LogFormat)
	if f.LogFormat != "JSON" {
		if c.ApplicationLogLevel != nil || c.SystemLogLevel != nil {
			return invalid("Log levels can only be set when LogFormat is JSON.")
		}
		f.ApplicationLogLevel, f.SystemLogLevel = "", ""
		return nil
	}
	f.ApplicationLogLevel, f.SystemLogLevel = cmp.Or(f.ApplicationLogLevel, "INFO"), cmp.Or(f.SystemLogLevel, "INFO")
	set(&f.ApplicationLogLevel, c.ApplicationLogLevel)
	set(&f.SystemLogLevel, c.SystemLogLevel)
	return nil
}

func set(to *string, from *string) {
	if from != nil {
		*to = *from
	}
}

func setInt(to *int, from *int64) {
	if from != nil {
		*to = int(*from)
	}
}

// checkSupported refuses what would be accepted without having an effect.
func (c settings) checkSupported() error {
	switch {
	case len(c.Layers) > maxLayers:
		return invalid("Cannot reference more than %d layers.", maxLayers)
	case c.DeadLetterConfig != nil && value(c.DeadLetterConfig.TargetArn) != "":
		return unsupported("dead letter queues")
	case len(c.FileSystemConfigs) > 0:
		return unsupported("file system configurations")
	case c.ImageConfig != nil:
		return unsupported("functions from container images, so ImageConfig cannot be given")
	case value(c.KMSKeyArn) != "":
		return unsupported("encrypting environment variables with a KMS key")
	case c.SnapStart != nil && value(c.SnapStart.ApplyOn) != "" && *c.SnapStart.ApplyOn != "None":
		return unsupported("SnapStart")
	case c.TracingConfig != nil && value(c.TracingConfig.Mode) != "" && *c.TracingConfig.Mode != "PassThrough":
		return unsupported("active tracing")
	}
	return nil
}

const rolePattern = `arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`

func (c settings) checkBasics() error {
	if c.Role != nil && !matches(rolePattern, *c.Role) {
		return constraint(*c.Role, "role", "Member must satisfy regular expression pattern: "+rolePattern)
	}
	if c.Handler != nil && !matches(`[^\s]+`, *c.Handler) {
		return constraint(*c.Handler, "handler", `Member must satisfy regular expression pattern: [^\s]+`)
	}
	if t := value(c.Timeout); t > maxTimeout {
		return constraint(strconv.FormatInt(t, 10), "timeout", fmt.Sprintf("Member must have value less than or equal to %d", maxTimeout))
	}
	if c.LoggingConfig != nil && c.LoggingConfig.LogGroup != nil && !matches(`[\.\-_/#A-Za-z0-9]+`, *c.LoggingConfig.LogGroup) {
		return constraint(*c.LoggingConfig.LogGroup, "loggingConfig.logGroup", `Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`)
	}
	if c.Runtime != nil {
		return checkRuntime(*c.Runtime)
	}
	return nil
}

func matches(pattern, text string) bool {
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(text)
}

func (c settings) checkEnvironment() error {
	if c.Environment == nil {
		return nil
	}
	return checkEnvironment(c.Environment.Variables)
}

// touch gives a function that is about to be stored a new revision.
func touch(tx *state.Tx, f *resource.Function) {
	f.LastModified = tx.Now()
	f.RevisionID = newRevision(tx)
}

// codeSource is where a package comes from; UpdateFunctionCode has the same members.
type codeSource FunctionCode

// fetchCode unpacks a package into the store. The caller holds it until it calls release.
func (s *Service) fetchCode(ctx context.Context, call *api.Call, from codeSource) (c Code, release func(), err error) {
	inS3 := from.S3Bucket != nil || from.S3Key != nil || from.S3ObjectVersion != nil
	switch {
	case from.ImageUri != nil:
		return Code{}, nil, unsupported("functions from container images")
	case from.ZipFile != nil && inS3:
		return Code{}, nil, invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
	case inS3:
		c, release, err = s.fetchObject(ctx, call, from)
	case from.ZipFile == nil:
		return Code{}, nil, invalid("Please provide a source for function code.")
	case len(from.ZipFile) > maxZipped:
		return Code{}, nil, api.Errorf("RequestEntityTooLargeException", "Zipped size must be smaller than %d bytes", maxZipped).WithStatus(413)
	default:
		c, release, err = s.config.Code.PutZip(from.ZipFile)
	}
	return c, release, codeError(err)
}

func (s *Service) fetchObject(ctx context.Context, call *api.Call, from codeSource) (Code, func(), error) {
	if s.config.FetchObject == nil {
		return Code{}, nil, unsupported("code in S3 here")
	}
	if from.S3Bucket == nil || from.S3Key == nil {
		return Code{}, nil, invalid("S3Bucket and S3Key are both needed for code in S3.")
	}
	r, err := s.config.FetchObject(ctx, call, *from.S3Bucket, *from.S3Key, value(from.S3ObjectVersion))
	if e := api.AsError(err); e != nil {
		return Code{}, nil, invalid("Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s", e.Code, e.Message)
	}
	if err != nil {
		return Code{}, nil, fmt.Errorf("fetch code from bucket %s: %w", *from.S3Bucket, err)
	}
	defer r.Close()
	return s.config.Code.PutStream(io.Reader(r), maxUnzipped)
}
