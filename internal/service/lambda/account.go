package lambda

import (
	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// maxTotalCode is how much code an account may keep; see "Lambda quotas". It is said, and not enforced.
const maxTotalCode = 80530636800

func (s *Service) getAccountSettings(v *state.View, _ *api.Call, _ *GetAccountSettingsInput) (*GetAccountSettingsOutput, error) {
	functions := state.List[*resource.Function](v)
	unreserved := maxConcurrency
	var code int64
	for _, f := range functions {
		unreserved -= value(f.ReservedConcurrency)
		code += f.CodeSize
	}
	for _, p := range state.List[*resource.FunctionVersion](v) {
		code += p.CodeSize
	}
	for _, l := range state.List[*resource.LayerVersion](v) {
		code += l.CodeSize
	}
	return &GetAccountSettingsOutput{
		AccountLimit: &AccountLimit{
			TotalCodeSize: ptr(int64(maxTotalCode)), CodeSizeUnzipped: ptr(int64(maxUnzipped)), CodeSizeZipped: ptr(int64(maxZipped)),
			ConcurrentExecutions: ptr(int64(maxConcurrency)), UnreservedConcurrentExecutions: ptr(int64(unreserved)),
		},
		AccountUsage: &AccountUsage{FunctionCount: ptr(int64(len(functions))), TotalCodeSize: &code},
	}, nil
}

// getRuntimeManagement tells that runtimes are the machine's, and change with it.
func (s *Service) getRuntimeManagement(v *state.View, _ *api.Call, in *GetRuntimeManagementConfigInput) (*GetRuntimeManagementConfigOutput, error) {
	_, n, err := findFunction(v, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return &GetRuntimeManagementConfigOutput{FunctionArn: ptr(n.arn(v)), UpdateRuntimeOn: ptr("Auto")}, nil
}
