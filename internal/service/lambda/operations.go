package lambda

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

// Definition is the service as the front door knows it.
func (s *Service) Definition() service.Definition {
	return service.Definition{
		Name:       "lambda",
		Protocol:   service.RESTJSON,
		Version:    "2015-03-31",
		Operations: s.operations(),
	}
}

func (s *Service) operations() []service.Operation {
	return []service.Operation{
		service.Stream("CreateFunction", s.createFunction, on(func(in *CreateFunctionInput) (*string, *string) { return in.FunctionName, nil }),
			passing(func(in *CreateFunctionInput) *string { return in.Role }), placing(func(in *CreateFunctionInput) *VpcConfig { return in.VpcConfig })),
		service.View("GetFunction", s.getFunction, on(func(in *GetFunctionInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.View("GetFunctionConfiguration", s.getFunctionConfiguration, on(func(in *GetFunctionConfigurationInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.Stream("UpdateFunctionCode", s.updateCode, on(func(in *UpdateFunctionCodeInput) (*string, *string) { return in.FunctionName, nil })),
		service.Stream("UpdateFunctionConfiguration", s.updateConfiguration, on(func(in *UpdateFunctionConfigurationInput) (*string, *string) { return in.FunctionName, nil }),
			passing(func(in *UpdateFunctionConfigurationInput) *string { return in.Role }),
			placing(func(in *UpdateFunctionConfigurationInput) *VpcConfig { return in.VpcConfig })),
		service.Stream("DeleteFunction", s.deleteFunction, on(func(in *DeleteFunctionInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.View("ListFunctions", s.listFunctions, service.OnAny()),
		service.View("ListVersionsByFunction", s.listVersions, on(func(in *ListVersionsByFunctionInput) (*string, *string) { return in.FunctionName, nil })),
		service.Stream("PublishVersion", s.publishVersion, on(func(in *PublishVersionInput) (*string, *string) { return in.FunctionName, nil })),

		service.Update("CreateAlias", s.createAlias, on(func(in *CreateAliasInput) (*string, *string) { return in.FunctionName, nil })),
		service.View("GetAlias", s.getAlias, on(func(in *GetAliasInput) (*string, *string) { return in.FunctionName, nil })),
		service.Update("UpdateAlias", s.updateAlias, on(func(in *UpdateAliasInput) (*string, *string) { return in.FunctionName, nil })),
		service.Update("DeleteAlias", s.deleteAlias, on(func(in *DeleteAliasInput) (*string, *string) { return in.FunctionName, nil })),
		service.View("ListAliases", s.listAliases, on(func(in *ListAliasesInput) (*string, *string) { return in.FunctionName, nil })),

		service.Stream("Invoke", s.invoke, service.Action("lambda:InvokeFunction"), service.MaxBody(maxPayload), on(func(in *InvokeInput) (*string, *string) { return in.FunctionName, in.Qualifier })),

		service.View("ListTags", s.listTags, on(func(in *ListTagsInput) (*string, *string) { return in.Resource, nil })),
		service.Update("TagResource", s.tagResource, on(func(in *TagResourceInput) (*string, *string) { return in.Resource, nil })),
		service.Update("UntagResource", s.untagResource, on(func(in *UntagResourceInput) (*string, *string) { return in.Resource, nil })),

		service.Update("PutFunctionConcurrency", s.putConcurrency, on(func(in *PutFunctionConcurrencyInput) (*string, *string) { return in.FunctionName, nil })),
		service.View("GetFunctionConcurrency", s.getConcurrency, on(func(in *GetFunctionConcurrencyInput) (*string, *string) { return in.FunctionName, nil })),
		service.Update("DeleteFunctionConcurrency", s.deleteConcurrency, on(func(in *DeleteFunctionConcurrencyInput) (*string, *string) { return in.FunctionName, nil })),

		service.View("GetPolicy", s.getPolicy, on(func(in *GetPolicyInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.View("GetFunctionCodeSigningConfig", s.getCodeSigningConfig, on(func(in *GetFunctionCodeSigningConfigInput) (*string, *string) { return in.FunctionName, nil })),
	}
}

// on declares the function that a call names, with its qualifier if it has one, as the resource.
func on[In any](f func(*In) (name, qualifier *string)) service.Option {
	return service.On(func(r state.Reader, in *In) []string {
		name, qualifier := f(in)
		return []string{declaredARN(r, name, qualifier)}
	})
}

// placing is the condition keys by which policies say into which networks functions may be put. See the Lambda guide,
// "Using IAM condition keys for VPC settings".
func placing[In any](config func(*In) *VpcConfig) service.Option {
	return service.Conditions(func(r state.Reader, in *In, _ string) map[string][]string {
		c := config(in)
		if c == nil || len(c.SubnetIds) == 0 {
			return nil
		}
		keys := map[string][]string{"lambda:subnetids": c.SubnetIds, "lambda:securitygroupids": c.SecurityGroupIds}
		for _, id := range c.SubnetIds {
			if s, ok := state.Get[*resource.Subnet](r, id); ok && !slices.Contains(keys["lambda:vpcids"], string(s.VPCID)) {
				keys["lambda:vpcids"] = append(keys["lambda:vpcids"], string(s.VPCID))
			}
		}
		return keys
	})
}

// passing declares the role that a call gives to Lambda: a caller who may not pass it must not act as it through a
// function. See the IAM guide, "Grant a user permissions to pass a role to an AWS service".
func passing[In any](role func(*In) *string) service.Option {
	return service.Needs(func(_ state.Reader, in *In) []service.Need {
		arn := role(in)
		if arn == nil {
			return nil
		}
		return []service.Need{{
			Action: "iam:PassRole", Resource: *arn, Keys: map[string][]string{"iam:passedtoservice": {lambdaPrincipal}},
		}}
	})
}
