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
		Operations: slices.Concat(s.functionOperations(), s.versionOperations(), s.layerOperations(), s.urlOperations(), s.invokeOperations()),
		Web:        s.web(),
	}
}

func (s *Service) functionOperations() []service.Operation {
	return []service.Operation{
		service.Stream("CreateFunction", s.createFunction, on(func(in *CreateFunctionInput) (*string, *string) { return in.FunctionName, nil }),
			using(func(in *CreateFunctionInput) (*string, []string) { return in.Role, in.Layers }),
			placing(func(in *CreateFunctionInput) *VpcConfig { return in.VpcConfig })),
		service.View("GetFunction", s.getFunction, on(func(in *GetFunctionInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.View("GetFunctionConfiguration", s.getFunctionConfiguration, on(func(in *GetFunctionConfigurationInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.Stream("UpdateFunctionCode", s.updateCode, on(func(in *UpdateFunctionCodeInput) (*string, *string) { return in.FunctionName, nil })),
		service.Stream("UpdateFunctionConfiguration", s.updateConfiguration, on(func(in *UpdateFunctionConfigurationInput) (*string, *string) { return in.FunctionName, nil }),
			using(func(in *UpdateFunctionConfigurationInput) (*string, []string) { return in.Role, in.Layers }),
			placing(func(in *UpdateFunctionConfigurationInput) *VpcConfig { return in.VpcConfig })),
		service.Stream("DeleteFunction", s.deleteFunction, on(func(in *DeleteFunctionInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.View("ListFunctions", s.listFunctions, service.OnAny()),
		service.View("ListTags", s.listTags, on(func(in *ListTagsInput) (*string, *string) { return in.Resource, nil })),
		service.Update("TagResource", s.tagResource, on(func(in *TagResourceInput) (*string, *string) { return in.Resource, nil })),
		service.Update("UntagResource", s.untagResource, on(func(in *UntagResourceInput) (*string, *string) { return in.Resource, nil })),
		service.View("GetAccountSettings", s.getAccountSettings, service.OnAny()),
		service.View("GetRuntimeManagementConfig", s.getRuntimeManagement, on(func(in *GetRuntimeManagementConfigInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.View("GetFunctionCodeSigningConfig", s.getCodeSigningConfig, on(func(in *GetFunctionCodeSigningConfigInput) (*string, *string) { return in.FunctionName, nil })),
	}
}

func (s *Service) versionOperations() []service.Operation {
	return []service.Operation{
		service.View("ListVersionsByFunction", s.listVersions, on(func(in *ListVersionsByFunctionInput) (*string, *string) { return in.FunctionName, nil })),
		service.Stream("PublishVersion", s.publishVersion, on(func(in *PublishVersionInput) (*string, *string) { return in.FunctionName, nil })),
		service.Update("CreateAlias", s.createAlias, on(func(in *CreateAliasInput) (*string, *string) { return in.FunctionName, nil })),
		service.View("GetAlias", s.getAlias, on(func(in *GetAliasInput) (*string, *string) { return in.FunctionName, nil })),
		service.Stream("UpdateAlias", s.updateAlias, on(func(in *UpdateAliasInput) (*string, *string) { return in.FunctionName, nil })),
		service.Stream("DeleteAlias", s.deleteAlias, on(func(in *DeleteAliasInput) (*string, *string) { return in.FunctionName, nil })),
		service.View("ListAliases", s.listAliases, on(func(in *ListAliasesInput) (*string, *string) { return in.FunctionName, nil })),
		service.View("GetPolicy", s.getPolicy, on(func(in *GetPolicyInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.Update("AddPermission", s.addPermission, on(func(in *AddPermissionInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.Update("RemovePermission", s.removePermission, on(func(in *RemovePermissionInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
	}
}

func (s *Service) layerOperations() []service.Operation {
	return []service.Operation{
		service.Stream("PublishLayerVersion", s.publishLayer, onLayer(func(in *PublishLayerVersionInput) (*string, *int64) { return in.LayerName, nil })),
		service.View("GetLayerVersion", s.getLayer, onLayer(func(in *GetLayerVersionInput) (*string, *int64) { return in.LayerName, in.VersionNumber })),
		service.View("GetLayerVersionByArn", s.getLayerByARN, service.Action("lambda:GetLayerVersion"), onLayer(func(in *GetLayerVersionByArnInput) (*string, *int64) { return layerOfARN(in.Arn) })),
		service.Stream("DeleteLayerVersion", s.deleteLayer, onLayer(func(in *DeleteLayerVersionInput) (*string, *int64) { return in.LayerName, in.VersionNumber })),
		service.View("ListLayerVersions", s.listLayerVersions, onLayer(func(in *ListLayerVersionsInput) (*string, *int64) { return in.LayerName, nil })),
		service.View("ListLayers", s.listLayers, service.OnAny()),
		service.Update("AddLayerVersionPermission", s.addLayerPermission, onLayer(func(in *AddLayerVersionPermissionInput) (*string, *int64) { return in.LayerName, in.VersionNumber })),
		service.Update("RemoveLayerVersionPermission", s.removeLayerPermission, onLayer(func(in *RemoveLayerVersionPermissionInput) (*string, *int64) { return in.LayerName, in.VersionNumber })),
		service.View("GetLayerVersionPolicy", s.getLayerPolicy, onLayer(func(in *GetLayerVersionPolicyInput) (*string, *int64) { return in.LayerName, in.VersionNumber })),
	}
}

func (s *Service) urlOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateFunctionUrlConfig", s.createURL, on(func(in *CreateFunctionUrlConfigInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.View("GetFunctionUrlConfig", s.getURL, on(func(in *GetFunctionUrlConfigInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.Update("UpdateFunctionUrlConfig", s.updateURL, on(func(in *UpdateFunctionUrlConfigInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.Update("DeleteFunctionUrlConfig", s.deleteURL, on(func(in *DeleteFunctionUrlConfigInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.View("ListFunctionUrlConfigs", s.listURLs, on(func(in *ListFunctionUrlConfigsInput) (*string, *string) { return in.FunctionName, nil })),
	}
}

func (s *Service) invokeOperations() []service.Operation {
	return []service.Operation{
		service.Stream("PutProvisionedConcurrencyConfig", s.putProvisioned, on(func(in *PutProvisionedConcurrencyConfigInput) (*string, *string) {
			return in.FunctionName, in.Qualifier
		})),
		service.View("GetProvisionedConcurrencyConfig", s.getProvisioned, on(func(in *GetProvisionedConcurrencyConfigInput) (*string, *string) {
			return in.FunctionName, in.Qualifier
		})),
		service.Stream("DeleteProvisionedConcurrencyConfig", s.deleteProvisioned, on(func(in *DeleteProvisionedConcurrencyConfigInput) (*string, *string) {
			return in.FunctionName, in.Qualifier
		})),
		service.View("ListProvisionedConcurrencyConfigs", s.listProvisioned, on(func(in *ListProvisionedConcurrencyConfigsInput) (*string, *string) { return in.FunctionName, nil })),

		service.Update("PutFunctionEventInvokeConfig", s.putEventInvoke, on(func(in *PutFunctionEventInvokeConfigInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.Update("UpdateFunctionEventInvokeConfig", s.updateEventInvoke, on(func(in *UpdateFunctionEventInvokeConfigInput) (*string, *string) {
			return in.FunctionName, in.Qualifier
		})),
		service.View("GetFunctionEventInvokeConfig", s.getEventInvoke, on(func(in *GetFunctionEventInvokeConfigInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.Update("DeleteFunctionEventInvokeConfig", s.deleteEventInvoke, on(func(in *DeleteFunctionEventInvokeConfigInput) (*string, *string) {
			return in.FunctionName, in.Qualifier
		})),
		service.View("ListFunctionEventInvokeConfigs", s.listEventInvokes, on(func(in *ListFunctionEventInvokeConfigsInput) (*string, *string) { return in.FunctionName, nil })),
		service.Stream("InvokeWithResponseStream", s.invokeWithStream, service.Action("lambda:InvokeFunction"), service.MaxBody(maxPayload), on(func(in *InvokeWithResponseStreamInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.Stream("Invoke", s.invoke, service.Action("lambda:InvokeFunction"), service.MaxBody(maxPayload), on(func(in *InvokeInput) (*string, *string) { return in.FunctionName, in.Qualifier })),
		service.Update("PutFunctionConcurrency", s.putConcurrency, on(func(in *PutFunctionConcurrencyInput) (*string, *string) { return in.FunctionName, nil })),
		service.View("GetFunctionConcurrency", s.getConcurrency, on(func(in *GetFunctionConcurrencyInput) (*string, *string) { return in.FunctionName, nil })),
		service.Update("DeleteFunctionConcurrency", s.deleteConcurrency, on(func(in *DeleteFunctionConcurrencyInput) (*string, *string) { return in.FunctionName, nil })),
	}
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
