package lambda

import (
	"context"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *Service) updateCode(ctx context.Context, call *api.Call, in *UpdateFunctionCodeInput) (*UpdateFunctionCodeOutput, error) {
	if err := s.checkArchitectures(in.Architectures); err != nil {
		return nil, err
	}
	f, _, err := findUnqualified(s.config.State.View(), in.FunctionName)
	if err != nil {
		return nil, err
	}
	if err := checkRevision(f.RevisionID, in.RevisionId); err != nil {
		return nil, err
	}
	code, release, err := s.fetchCode(ctx, call, codeSource{
		ImageUri: in.ImageUri, S3Bucket: in.S3Bucket, S3Key: in.S3Key, S3ObjectVersion: in.S3ObjectVersion, ZipFile: in.ZipFile,
	})
	if err != nil {
		return nil, err
	}
	defer release()
	change := func(_ *state.Tx, f *resource.Function) error {
		f.CodeKey, f.CodeSHA256, f.CodeSize = code.Key, code.SHA256, code.Size
		return s.checkSize(f)
	}
	if value(in.DryRun) {
		changed := *f
		if err := change(nil, &changed); err != nil {
			return nil, err
		}
		return configuration(&changed, f.ARN), nil
	}
	return s.update(ctx, in.FunctionName, in.RevisionId, value(in.Publish), change)
}

func (s *Service) updateConfiguration(ctx context.Context, _ *api.Call, in *UpdateFunctionConfigurationInput) (*UpdateFunctionConfigurationOutput, error) {
	c := settings{
		in.Role, in.Runtime, in.Handler, in.Description, in.KMSKeyArn, in.Timeout, in.MemorySize, in.Environment,
		in.EphemeralStorage, in.TracingConfig, in.LoggingConfig, in.VpcConfig, in.DeadLetterConfig, in.ImageConfig,
		in.SnapStart, in.FileSystemConfigs, in.Layers,
	}
	return s.update(ctx, in.FunctionName, in.RevisionId, false, func(tx *state.Tx, f *resource.Function) error {
		if err := c.apply(f); err != nil {
			return err
		}
		if c.Layers != nil {
			if err := s.useLayers(tx, f, c.Layers); err != nil {
				return err
			}
			if err := s.checkSize(f); err != nil {
				return err
			}
		}
		if c.Role != nil {
			if err := s.checkRole(tx, f.Role); err != nil {
				return err
			}
		}
		if c.VpcConfig == nil {
			if c.Role != nil && f.VPCConfig != nil {
				return s.checkInterfacePermissions(tx, f.Role)
			}
			return nil
		}
		vpc, err := s.placeInVPC(tx, f.Name, f.Role, c.VpcConfig)
		f.VPCConfig = vpc
		return err
	})
}

// update changes a function in one transaction, publishes it if that is wanted, then lets go of what the function no
// longer uses.
func (s *Service) update(ctx context.Context, name, revision *string, publishing bool, change func(*state.Tx, *resource.Function) error) (*FunctionConfiguration, error) {
	var before, after *resource.Function
	err := s.commit(ctx, func(tx *state.Tx) error {
		f, _, err := findUnqualified(tx, name)
		if err != nil {
			return err
		}
		if err := checkRevision(f.RevisionID, revision); err != nil {
			return err
		}
		changed := *f
		if err := change(tx, &changed); err != nil {
			return err
		}
		touch(tx, &changed)
		tx.Put(&changed)
		before, after = f, &changed
		if publishing {
			v, _ := publish(tx, &changed, nil)
			after = &v.Function
		}
		vpcnet.ReleaseLambdaInterfaces(tx, interfacesOf(f))
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.letGo(before)
	arn := after.ARN
	if publishing {
		arn += ":" + after.Version
	}
	out := configuration(after, arn)
	inProgress(out)
	return out, nil
}

// findUnqualified finds a function for a call that changes it as a whole.
func findUnqualified(r state.Reader, name *string) (*resource.Function, functionName, error) {
	f, n, err := findFunction(r, name, nil)
	if err == nil && n.Qualifier != "" {
		return nil, n, invalid("The ARN or name of the function must not have a qualifier.")
	}
	return f, n, err
}

func checkRevision(current string, revision *string) error {
	if revision == nil || *revision == current {
		return nil
	}
	return api.Errorf("PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. "+
		"Call the GetFunction/GetAlias API to retrieve the latest Revision Id").WithStatus(412)
}

// tagged finds the function that a tagging call names by its ARN.
func tagged(r state.Reader, arn *string) (*resource.Function, error) {
	f, n, err := findFunction(r, arn, nil)
	if err != nil {
		return nil, err
	}
	if n.Region == "" || n.Qualifier != "" {
		return nil, invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	return f, nil
}

func (s *Service) listTags(v *state.View, _ *api.Call, in *ListTagsInput) (*ListTagsOutput, error) {
	f, err := tagged(v, in.Resource)
	if err != nil {
		return nil, err
	}
	tags := map[string]string(f.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	return &ListTagsOutput{Tags: tags}, nil
}

func (s *Service) tagResource(tx *state.Tx, _ *api.Call, in *TagResourceInput) (*TagResourceOutput, error) {
	f, err := tagged(tx, in.Resource)
	if err != nil {
		return nil, err
	}
	changed := *f
	changed.Tags = resource.Tags{}
	for _, tags := range []map[string]string{f.Tags, in.Tags} {
		for k, v := range tags {
			changed.Tags[k] = v
		}
	}
	if len(changed.Tags) > maxTags {
		return nil, invalid("A resource cannot have more than %d tags.", maxTags)
	}
	tx.Put(&changed)
	return &TagResourceOutput{}, nil
}

func (s *Service) untagResource(tx *state.Tx, _ *api.Call, in *UntagResourceInput) (*UntagResourceOutput, error) {
	f, err := tagged(tx, in.Resource)
	if err != nil {
		return nil, err
	}
	changed := *f
	changed.Tags = resource.Tags{}
	for k, v := range f.Tags {
		changed.Tags[k] = v
	}
	for _, k := range in.TagKeys {
		delete(changed.Tags, k)
	}
	tx.Put(&changed)
	return &UntagResourceOutput{}, nil
}
