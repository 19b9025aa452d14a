package ec2

import (
	"encoding/base64"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// refuseLaunchOptions refuses what an instance here cannot have.
func refuseLaunchOptions(in *RunInstancesInput) error {
	switch {
	case value(in.EnablePrimaryIpv6):
		return unsupported("An instance has no primary IPv6 address in this region.")
	case in.LaunchTemplate != nil:
		return unsupported("Launch templates are not supported in this region.")
	case in.InstanceMarketOptions != nil:
		return unsupported("Spot instances are not supported in this region.")
	case len(in.SecurityGroups) > 0:
		return unsupported("Name security groups by id: groups are found by name in the default VPC only.")
	case in.EnclaveOptions != nil && value(in.EnclaveOptions.Enabled):
		return unsupported("Enclaves are not supported in this region.")
	case in.HibernationOptions != nil && value(in.HibernationOptions.Configured):
		return unsupported("Instances cannot hibernate in this region.")
	case in.Placement != nil && (given(in.Placement.GroupName) || given(in.Placement.HostId) || given(in.Placement.Tenancy) && *in.Placement.Tenancy != "default"):
		return unsupported("Placement groups, dedicated hosts and tenancy are not supported in this region.")
	case len(in.ElasticGpuSpecification) > 0 || len(in.ElasticInferenceAccelerators) > 0 || len(in.LicenseSpecifications) > 0:
		return unsupported("Accelerators and licences are not supported in this region.")
	}
	for _, n := range in.NetworkInterfaces {
		if value(n.Ipv4PrefixCount) > 0 || len(n.Ipv4Prefixes) > 0 || value(n.Ipv6PrefixCount) > 0 || len(n.Ipv6Prefixes) > 0 || value(n.PrimaryIpv6) {
			return unsupported("Delegated prefixes and primary IPv6 addresses of instances are not supported in this region.")
		}
		if value(n.NetworkCardIndex) != 0 || n.EnaSrdSpecification != nil || n.ConnectionTrackingSpecification != nil ||
			given(n.InterfaceType) && *n.InterfaceType != resource.InterfaceTypeInterface {
			return unsupported("An instance has one network card, and plain interfaces without ENA Express and connection tracking settings, in this region.")
		}
	}
	return refuseVolumes(in.BlockDeviceMappings)
}

// refuseVolumes accepts settings of the root volume, which change nothing (see the coverage page), and no others.
func refuseVolumes(mappings []BlockDeviceMapping) error {
	for _, m := range mappings {
		if value(m.DeviceName) != rootDevice {
			return unsupported("An instance has no volume but %s in this region.", rootDevice)
		}
		if m.Ebs != nil && m.Ebs.DeleteOnTermination != nil && !*m.Ebs.DeleteOnTermination {
			return unsupported("A root volume does not outlive its instance in this region.")
		}
	}
	return nil
}

func metadataOutput(m resource.MetadataOptions) *InstanceMetadataOptionsResponse {
	pick := func(on bool, yes, no string) *string {
		if on {
			return new(yes)
		}
		return new(no)
	}
	return &InstanceMetadataOptionsResponse{
		State: new("applied"), HttpEndpoint: pick(m.Disabled, "disabled", "enabled"), HttpTokens: pick(m.TokensOptional, "optional", "required"),
		HttpPutResponseHopLimit: new(int64(m.HopLimit)), HttpProtocolIpv6: new("disabled"), InstanceMetadataTags: pick(m.Tags, "enabled", "disabled"),
	}
}

// changeMetadata changes what is given of the metadata options.
func changeMetadata(m *resource.MetadataOptions, endpoint, tokens, ipv6, tags *string, hops *int64) error {
	if given(ipv6) && *ipv6 != "disabled" {
		return unsupported("The instance metadata service has no IPv6 address in this region.")
	}
	for _, o := range []struct {
		name    string
		given   *string
		yes, no string
		set     func(bool)
	}{
		{"httpEndpoint", endpoint, "disabled", "enabled", func(b bool) { m.Disabled = b }},
		{"httpTokens", tokens, "optional", "required", func(b bool) { m.TokensOptional = b }},
		{"instanceMetadataTags", tags, "enabled", "disabled", func(b bool) { m.Tags = b }},
	} {
		switch value(o.given) {
		case "":
		case o.yes:
			o.set(true)
		case o.no:
			o.set(false)
		default:
			return invalidValue(o.name, *o.given)
		}
	}
	if hops != nil {
		if *hops < 1 || *hops > 64 {
			return api.Errorf("InvalidParameterValue", "Value (%d) for parameter httpPutResponseHopLimit is invalid. It must be between 1 and 64.", *hops)
		}
		m.HopLimit = int(*hops)
	}
	return nil
}

func (s *ec2) modifyInstanceMetadataOptions(tx *state.Tx, _ *api.Call, in *ModifyInstanceMetadataOptionsInput) (*ModifyInstanceMetadataOptionsOutput, error) {
	i, err := instanceToChange(tx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if err := changeMetadata(&i.Metadata, in.HttpEndpoint, in.HttpTokens, in.HttpProtocolIpv6, in.InstanceMetadataTags, in.HttpPutResponseHopLimit); err != nil {
		return nil, err
	}
	tx.Put(i)
	return &ModifyInstanceMetadataOptionsOutput{InstanceId: new(string(i.ID)), InstanceMetadataOptions: metadataOutput(i.Metadata)}, nil
}

// instanceToChange returns a copy of an instance that is still there.
func instanceToChange(r state.Reader, id *string) (*resource.Instance, error) {
	old, err := find[*resource.Instance](r, nounInstance, "instanceId", id)
	if err != nil {
		return nil, err
	}
	if old.Gone() {
		return nil, incorrectState(old, "modified")
	}
	return new(*old), nil
}

func (s *ec2) describeInstanceAttribute(v *state.View, _ *api.Call, in *DescribeInstanceAttributeInput) (*DescribeInstanceAttributeOutput, error) {
	i, err := find[*resource.Instance](v, nounInstance, "instanceId", in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := &DescribeInstanceAttributeOutput{InstanceId: new(string(i.ID))}
	eni, there := state.Get[*resource.NetworkInterface](v, i.InterfaceID)
	switch value(in.Attribute) {
	case "":
		return nil, missing("attribute")
	case "instanceType":
		out.InstanceType = &AttributeValue{Value: new(i.InstanceType)}
	case "userData":
		out.UserData = &AttributeValue{}
		if len(i.UserData) > 0 {
			out.UserData.Value = new(base64.StdEncoding.EncodeToString(i.UserData))
		}
	case "disableApiTermination":
		out.DisableApiTermination = &AttributeBooleanValue{Value: new(i.KeepFromTerminate)}
	case "disableApiStop":
		out.DisableApiStop = &AttributeBooleanValue{Value: new(i.KeepFromStop)}
	case "instanceInitiatedShutdownBehavior":
		out.InstanceInitiatedShutdownBehavior = &AttributeValue{Value: new(i.ShutdownBehavior)}
	case "rootDeviceName":
		out.RootDeviceName = &AttributeValue{Value: new(rootDevice)}
	case "blockDeviceMapping":
		out.BlockDeviceMappings = []InstanceBlockDeviceMapping{rootMapping(i)}
	case "ebsOptimized":
		out.EbsOptimized = &AttributeBooleanValue{Value: new(false)}
	case "enaSupport":
		out.EnaSupport = &AttributeBooleanValue{Value: new(true)}
	case "sourceDestCheck":
		out.SourceDestCheck = &AttributeBooleanValue{Value: new(there && eni.SourceDestCheck)}
	case "groupSet":
		out.Groups = []GroupIdentifier{}
		if there {
			out.Groups = groupIdentifiers(v, eni.GroupIDs)
		}
	case "kernel", "ramdisk", "productCodes", "sriovNetSupport", "enclaveOptions":
		// it has none
	default:
		return nil, invalidValue("attribute", *in.Attribute)
	}
	return out, nil
}

func (s *ec2) modifyInstanceAttribute(tx *state.Tx, _ *api.Call, in *ModifyInstanceAttributeInput) (*ModifyInstanceAttributeOutput, error) {
	i, err := instanceToChange(tx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if err := nameAttribute(in); err != nil {
		return nil, err
	}
	if in.Kernel != nil || in.Ramdisk != nil || in.SriovNetSupport != nil || value(value(in.EbsOptimized).Value) || in.EnaSupport != nil {
		return nil, unsupported("This attribute of an instance cannot be changed in this region.")
	}
	if err := refuseMappings(in.BlockDeviceMappings); err != nil {
		return nil, err
	}
	set := 0
	for _, change := range []func(*state.Tx, *resource.Instance, *ModifyInstanceAttributeInput) (bool, error){
		changeProtection, changeStopped, changeInterface,
	} {
		changed, err := change(tx, i, in)
		if err != nil {
			return nil, err
		}
		if changed {
			set++
		}
	}
	if set == 0 && len(in.BlockDeviceMappings) == 0 && in.EbsOptimized == nil {
		return nil, missing("attribute")
	}
	tx.Put(i)
	return &ModifyInstanceAttributeOutput{}, nil
}

// nameAttribute brings the older form, a name and a value, into the newer.
func nameAttribute(in *ModifyInstanceAttributeInput) error {
	if !given(in.Attribute) {
		return nil
	}
	text := &AttributeValue{Value: in.Value}
	truth := &AttributeBooleanValue{Value: new(value(in.Value) == "true")}
	switch *in.Attribute {
	case "instanceType":
		in.InstanceType = text
	case "instanceInitiatedShutdownBehavior":
		in.InstanceInitiatedShutdownBehavior = text
	case "disableApiTermination":
		in.DisableApiTermination = truth
	case "disableApiStop":
		in.DisableApiStop = truth
	case "sourceDestCheck":
		in.SourceDestCheck = truth
	case "userData":
		data, err := base64.StdEncoding.DecodeString(value(in.Value))
		if err != nil {
			return api.Errorf("InvalidParameterValue", "Invalid BASE64 encoding of user data.")
		}
		in.UserData = &BlobAttributeValue{Value: data}
	default:
		return invalidValue("attribute", *in.Attribute)
	}
	return nil
}

func refuseMappings(mappings []InstanceBlockDeviceMappingSpecification) error {
	for _, m := range mappings {
		if value(m.DeviceName) != rootDevice || m.Ebs != nil && m.Ebs.DeleteOnTermination != nil && !*m.Ebs.DeleteOnTermination {
			return unsupported("A root volume does not outlive its instance in this region, and there are no others.")
		}
	}
	return nil
}

func changeProtection(_ *state.Tx, i *resource.Instance, in *ModifyInstanceAttributeInput) (bool, error) {
	changed := false
	if v := in.DisableApiTermination; v != nil && v.Value != nil {
		i.KeepFromTerminate, changed = *v.Value, true
	}
	if v := in.DisableApiStop; v != nil && v.Value != nil {
		i.KeepFromStop, changed = *v.Value, true
	}
	if v := in.InstanceInitiatedShutdownBehavior; v != nil {
		if err := checkShutdownBehavior(value(v.Value)); err != nil {
			return false, err
		}
		i.ShutdownBehavior, changed = *v.Value, true
	}
	return changed, nil
}

// changeStopped changes what an instance must be stopped for.
func changeStopped(tx *state.Tx, i *resource.Instance, in *ModifyInstanceAttributeInput) (bool, error) {
	if in.InstanceType == nil && in.UserData == nil {
		return false, nil
	}
	if i.State != resource.InstanceStopped {
		return false, api.Errorf("IncorrectInstanceState", "The instance '%s' is not in the 'stopped' state.", i.ID)
	}
	if in.InstanceType != nil {
		t, err := findInstanceType(value(in.InstanceType.Value))
		if err != nil {
			return false, err
		}
		if err := mayHold(t.name, len(InterfacesOf(tx, i.ID))); err != nil {
			return false, err
		}
		i.InstanceType = t.name
	}
	if in.UserData != nil {
		data, err := decodeUserData(base64.StdEncoding.EncodeToString(in.UserData.Value))
		if err != nil {
			return false, err
		}
		i.UserData = data
	}
	return true, nil
}

func changeInterface(tx *state.Tx, i *resource.Instance, in *ModifyInstanceAttributeInput) (bool, error) {
	if len(in.Groups) == 0 && in.SourceDestCheck == nil {
		return false, nil
	}
	old, err := onlyInterface(tx, i)
	if err != nil {
		return false, err
	}
	eni := *old
	if len(in.Groups) > 0 {
		groups, err := vpcnet.FindGroups(tx, eni.VPCID, in.Groups)
		if err != nil {
			return false, err
		}
		eni.GroupIDs = nil
		for _, g := range groups {
			eni.GroupIDs = append(eni.GroupIDs, g.ID)
		}
	}
	if in.SourceDestCheck != nil {
		eni.SourceDestCheck = value(in.SourceDestCheck.Value)
	}
	tx.Put(&eni)
	return true, nil
}

func (s *ec2) describeInstanceCreditSpecifications(v *state.View, _ *api.Call, in *DescribeInstanceCreditSpecificationsInput) (*DescribeInstanceCreditSpecificationsOutput, error) {
	found, err := named[*resource.Instance](v, nounInstance, in.InstanceIds)
	if err != nil {
		return nil, err
	}
	all := []InstanceCreditSpecification{}
	for _, i := range found {
		if t, err := findInstanceType(i.InstanceType); err == nil && t.burstable && !i.Gone() {
			all = append(all, InstanceCreditSpecification{InstanceId: new(string(i.ID)), CpuCredits: new(t.credits)})
		}
	}
	l := listing[InstanceCreditSpecification]{
		key:    func(c InstanceCreditSpecification) string { return *c.InstanceId },
		fields: fields[InstanceCreditSpecification]{"instance-id": func(c InstanceCreditSpecification) []string { return text(c.InstanceId) }},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeInstanceCreditSpecificationsOutput{InstanceCreditSpecifications: page, NextToken: next}, nil
}

// getConsoleOutput is what an instance has written since it was started, as far as it is remembered.
func (s *ec2) getConsoleOutput(v *state.View, _ *api.Call, in *GetConsoleOutputInput) (*GetConsoleOutputOutput, error) {
	i, err := find[*resource.Instance](v, nounInstance, "instanceId", in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := &GetConsoleOutputOutput{InstanceId: new(string(i.ID)), Timestamp: timestamp(i.LaunchTime)}
	if s.config.Console != nil {
		if written, at := s.config.Console(i.ID); len(written) > 0 {
			out.Output, out.Timestamp = new(base64.StdEncoding.EncodeToString(written)), timestamp(at)
		}
	}
	return out, nil
}
