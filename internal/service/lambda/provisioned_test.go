package lambda

import (
	"fmt"
	"testing"
)

func provisionedOf(function, qualifier string, n int64) *PutProvisionedConcurrencyConfigInput {
	return &PutProvisionedConcurrencyConfigInput{FunctionName: &function, Qualifier: &qualifier, ProvisionedConcurrentExecutions: &n}
}

func TestProvisionedConcurrencyFollowsItsAlias(t *testing.T) {
	b := newBench(t)
	b.create("f", func(in *CreateFunctionInput) { in.Publish = ptr(true) })
	b.describe("f", "second")
	b.publish("f")
	must[CreateAliasOutput](b, "CreateAlias", &CreateAliasInput{FunctionName: ptr("f"), Name: ptr("live"), FunctionVersion: ptr("1")})
	must[PutProvisionedConcurrencyConfigOutput](b, "PutProvisionedConcurrencyConfig", provisionedOf("f", "live", 3))
	get := &GetProvisionedConcurrencyConfigInput{FunctionName: ptr("f"), Qualifier: ptr("live")}
	got := must[GetProvisionedConcurrencyConfigOutput](b, "GetProvisionedConcurrencyConfig", get)
	if *got.Status != "READY" || *got.AvailableProvisionedConcurrentExecutions != 3 || fmt.Sprint(b.fake.provisioned) != "map[f:1:3]" {
		t.Errorf("got %s, %v", *got.Status, b.fake.provisioned)
	}
	b.refused("PutProvisionedConcurrencyConfig", provisionedOf("f", "1", 1), 400, "InvalidParameterValueException: Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
	must[UpdateAliasOutput](b, "UpdateAlias", &UpdateAliasInput{FunctionName: ptr("f"), Name: ptr("live"), FunctionVersion: ptr("2")})
	if fmt.Sprint(b.fake.provisioned) != "map[f:2:3]" {
		t.Errorf("after the alias moved: %v", b.fake.provisioned)
	}
	must[DeleteAliasOutput](b, "DeleteAlias", &DeleteAliasInput{FunctionName: ptr("f"), Name: ptr("live")})
	if len(b.fake.provisioned) != 0 {
		t.Errorf("after the alias is gone: %v", b.fake.provisioned)
	}
	get.Qualifier = ptr("1")
	b.refused("GetProvisionedConcurrencyConfig", get, 404, "ProvisionedConcurrencyConfigNotFoundException: No Provisioned Concurrency Config found for this function")
}

func TestProvisionedConcurrencyHasBounds(t *testing.T) {
	b := newBench(t)
	b.create("f", func(in *CreateFunctionInput) { in.Publish = ptr(true) })
	const invalid = "InvalidParameterValueException: "
	b.refused("PutProvisionedConcurrencyConfig", provisionedOf("f", "$LATEST", 1), 400, invalid+"Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	b.refused("PutProvisionedConcurrencyConfig", provisionedOf("f", "1", 901), 400, invalid+"Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].")
	must[Concurrency](b, "PutFunctionConcurrency", &PutFunctionConcurrencyInput{FunctionName: ptr("f"), ReservedConcurrentExecutions: ptr(int64(2))})
	b.refused("PutProvisionedConcurrencyConfig", provisionedOf("f", "1", 3), 400, invalid+"Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
	settings := must[GetAccountSettingsOutput](b, "GetAccountSettings", &GetAccountSettingsInput{})
	if *settings.AccountLimit.UnreservedConcurrentExecutions != 998 || *settings.AccountUsage.FunctionCount != 1 {
		t.Errorf("got %v", settings)
	}
}
