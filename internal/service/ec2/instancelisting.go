package ec2

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) describeInstances(v *state.View, _ *api.Call, in *DescribeInstancesInput) (*DescribeInstancesOutput, error) {
	if len(in.InstanceIds) > 0 && in.MaxResults != nil {
		return nil, api.Errorf("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	found, err := named[*resource.Instance](v, nounInstance, in.InstanceIds)
	if err != nil {
		return nil, err
	}
	var all []Instance
	reservations := map[string]string{}
	for _, i := range found {
		reservations[string(i.ID)] = i.ReservationID
		all = append(all, instanceOutput(v, i))
	}
	page, next, err := instanceListing(v, reservations).answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeInstancesOutput{Reservations: byReservation(v, page, reservations), NextToken: next}, nil
}

// byReservation groups instances as they were launched together.
func byReservation(r state.Reader, page []Instance, of map[string]string) []Reservation {
	out := []Reservation{}
	at := map[string]int{}
	for _, i := range page {
		id := of[*i.InstanceId]
		if _, ok := at[id]; !ok {
			at[id] = len(out)
			out = append(out, emptyReservation(r, id))
		}
		o := &out[at[id]]
		o.Instances = append(o.Instances, i)
	}
	for _, o := range out {
		slices.SortFunc(o.Instances, func(a, b Instance) int { return int(*a.AmiLaunchIndex - *b.AmiLaunchIndex) })
	}
	return out
}

func emptyReservation(r state.Reader, id string) Reservation {
	return Reservation{ReservationId: new(id), OwnerId: new(r.Account()), Groups: []GroupIdentifier{}, Instances: []Instance{}}
}

func launchOutput(r state.Reader, id string, instances []*resource.Instance) Reservation {
	out := emptyReservation(r, id)
	for _, i := range instances {
		out.Instances = append(out.Instances, instanceOutput(r, i))
	}
	slices.SortFunc(out.Instances, func(a, b Instance) int { return int(*a.AmiLaunchIndex - *b.AmiLaunchIndex) })
	return out
}

const rootDevice = "/dev/xvda"

func instanceOutput(r state.Reader, i *resource.Instance) Instance {
	out := Instance{
		AmiLaunchIndex:                   new(int64(i.LaunchIndex)),
		Architecture:                     new(architecture),
		BlockDeviceMappings:              []InstanceBlockDeviceMapping{},
		EbsOptimized:                     new(false),
		EnaSupport:                       new(true),
		Hypervisor:                       new("xen"),
		ImageId:                          new(i.ImageID),
		InstanceId:                       new(string(i.ID)),
		InstanceType:                     new(i.InstanceType),
		LaunchTime:                       timestamp(i.LaunchTime),
		MetadataOptions:                  metadataOutput(i.Metadata),
		Monitoring:                       &Monitoring{State: new("disabled")},
		NetworkInterfaces:                []InstanceNetworkInterface{},
		Placement:                        &Placement{AvailabilityZone: new(i.AvailabilityZone), GroupName: new(""), Tenancy: new("default")},
		PlatformDetails:                  new("Linux/UNIX"),
		PrivateDnsName:                   new(""),
		PublicDnsName:                    new(""),
		RootDeviceName:                   new(rootDevice),
		RootDeviceType:                   new("ebs"),
		SecurityGroups:                   []GroupIdentifier{},
		State:                            instanceState(i.State),
		Tags:                             tagSet(i.Tags),
		UsageOperation:                   new("RunInstances"),
		VirtualizationType:               new("hvm"),
		CpuOptions:                       cpuOptions(i.InstanceType),
		EnclaveOptions:                   &EnclaveOptions{Enabled: new(false)},
		HibernationOptions:               &HibernationOptions{Configured: new(false)},
		MaintenanceOptions:               &InstanceMaintenanceOptions{AutoRecovery: new("default")},
		CapacityReservationSpecification: &CapacityReservationSpecificationResponse{CapacityReservationPreference: new("open")},
	}
	if i.KeyName != "" {
		out.KeyName = new(i.KeyName)
	}
	if i.StateReason != "" {
		out.StateReason = &StateReason{Code: new(i.StateReason), Message: new(reasonText(i.StateReason))}
		out.StateTransitionReason = new("User initiated")
	}
	if i.ProfileARN != "" {
		out.IamInstanceProfile = profileOutput(r, i.ProfileARN)
	}
	if !i.Gone() {
		out.SubnetId, out.VpcId = new(string(i.SubnetID)), new(string(i.VPCID))
		out.BlockDeviceMappings = append(out.BlockDeviceMappings, rootMapping(i))
	}
	for _, eni := range InterfacesOf(r, i.ID) {
		addInterface(&out, interfaceOutput(r, eni))
	}
	return out
}

func rootMapping(i *resource.Instance) InstanceBlockDeviceMapping {
	return InstanceBlockDeviceMapping{DeviceName: new(rootDevice), Ebs: &EbsInstanceBlockDevice{
		AttachTime: timestamp(i.LaunchTime), DeleteOnTermination: new(true), Status: new("attached"), VolumeId: new(i.VolumeID),
	}}
}

func cpuOptions(kind string) *CpuOptions {
	t, err := findInstanceType(kind)
	if err != nil {
		return nil
	}
	return &CpuOptions{CoreCount: new(t.processors / 2), ThreadsPerCore: new(int64(2))}
}

// addInterface shows what an instance has by an interface. Most of it, it has by the first.
func addInterface(out *Instance, n NetworkInterface) {
	shown := InstanceNetworkInterface{
		Attachment: &InstanceNetworkInterfaceAttachment{
			AttachTime: n.Attachment.AttachTime, AttachmentId: n.Attachment.AttachmentId, DeleteOnTermination: n.Attachment.DeleteOnTermination,
			DeviceIndex: n.Attachment.DeviceIndex, NetworkCardIndex: new(int64(0)), Status: n.Attachment.Status,
		},
		Association: instanceAssociation(n.Association), Description: n.Description, Groups: n.Groups, InterfaceType: n.InterfaceType,
		Ipv6Addresses: instanceIPv6Output(n), MacAddress: n.MacAddress, NetworkInterfaceId: n.NetworkInterfaceId, OwnerId: n.OwnerId,
		PrivateDnsName: n.PrivateDnsName, PrivateIpAddress: n.PrivateIpAddress, SourceDestCheck: n.SourceDestCheck, Status: n.Status,
		SubnetId: n.SubnetId, VpcId: n.VpcId,
	}
	for _, a := range n.PrivateIpAddresses {
		shown.PrivateIpAddresses = append(shown.PrivateIpAddresses, InstancePrivateIpAddress{
			Association: instanceAssociation(a.Association), Primary: a.Primary, PrivateDnsName: a.PrivateDnsName, PrivateIpAddress: a.PrivateIpAddress,
		})
	}
	out.NetworkInterfaces = append(out.NetworkInterfaces, shown)
	if len(out.NetworkInterfaces) > 1 {
		return
	}
	out.PrivateIpAddress, out.SecurityGroups, out.SourceDestCheck = n.PrivateIpAddress, n.Groups, n.SourceDestCheck
	out.Ipv6Address = n.Ipv6Address
	out.PrivateDnsName = new(value(n.PrivateDnsName))
	out.PrivateDnsNameOptions = &PrivateDnsNameOptionsResponse{
		HostnameType: new("ip-name"), EnableResourceNameDnsARecord: new(false), EnableResourceNameDnsAAAARecord: new(false),
	}
	if n.Association != nil {
		out.PublicIpAddress, out.PublicDnsName = n.Association.PublicIp, new(value(n.Association.PublicDnsName))
	}
}

func instanceIPv6Output(n NetworkInterface) []InstanceIpv6Address {
	out := []InstanceIpv6Address{}
	for _, a := range n.Ipv6Addresses {
		out = append(out, InstanceIpv6Address(a))
	}
	return out
}

func instanceAssociation(a *NetworkInterfaceAssociation) *InstanceNetworkInterfaceAssociation {
	if a == nil {
		return nil
	}
	return &InstanceNetworkInterfaceAssociation{IpOwnerId: a.IpOwnerId, PublicDnsName: a.PublicDnsName, PublicIp: a.PublicIp}
}

func (s *ec2) describeInstanceStatus(v *state.View, _ *api.Call, in *DescribeInstanceStatusInput) (*DescribeInstanceStatusOutput, error) {
	found, err := named[*resource.Instance](v, nounInstance, in.InstanceIds)
	if err != nil {
		return nil, err
	}
	all := []InstanceStatus{}
	for _, i := range found {
		if i.State == resource.InstanceRunning || value(in.IncludeAllInstances) {
			all = append(all, statusOutput(i))
		}
	}
	reachability := func(s *InstanceStatusSummary) []string {
		return each(s.Details, func(d InstanceStatusDetails) *string { return d.Status })
	}
	l := listing[InstanceStatus]{
		key: func(i InstanceStatus) string { return *i.InstanceId },
		fields: fields[InstanceStatus]{
			"instance-status.reachability": func(i InstanceStatus) []string { return reachability(i.InstanceStatus) },
			"system-status.reachability":   func(i InstanceStatus) []string { return reachability(i.SystemStatus) },
			"availability-zone":            func(i InstanceStatus) []string { return text(i.AvailabilityZone) },
			"instance-state-code":          func(i InstanceStatus) []string { return number(i.InstanceState.Code) },
			"instance-state-name":          func(i InstanceStatus) []string { return text(i.InstanceState.Name) },
			"instance-status.status":       func(i InstanceStatus) []string { return text(i.InstanceStatus.Status) },
			"system-status.status":         func(i InstanceStatus) []string { return text(i.SystemStatus.Status) },
		}.without("event.code", "event.description", "event.instance-event-id", "event.not-after", "event.not-before", "event.not-before-deadline"),
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeInstanceStatusOutput{InstanceStatuses: page, NextToken: next}, nil
}

func statusOutput(i *resource.Instance) InstanceStatus {
	summary := func() *InstanceStatusSummary {
		if i.State != resource.InstanceRunning {
			return &InstanceStatusSummary{Status: new("not-applicable"), Details: []InstanceStatusDetails{}}
		}
		return &InstanceStatusSummary{Status: new("ok"), Details: []InstanceStatusDetails{{Name: new("reachability"), Status: new("passed")}}}
	}
	return InstanceStatus{
		AvailabilityZone: new(i.AvailabilityZone), Events: []InstanceStatusEvent{}, InstanceId: new(string(i.ID)),
		InstanceState: instanceState(i.State), InstanceStatus: summary(), SystemStatus: summary(),
	}
}

func (s *ec2) describeVolumes(v *state.View, _ *api.Call, in *DescribeVolumesInput) (*DescribeVolumesOutput, error) {
	all := []Volume{}
	for _, i := range state.List[*resource.Instance](v) {
		if !i.Gone() && (len(in.VolumeIds) == 0 || slices.Contains(in.VolumeIds, i.VolumeID)) {
			all = append(all, volumeOutput(i))
		}
	}
	for _, id := range in.VolumeIds {
		if err := nounVolume.Check(id); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(v Volume) bool { return *v.VolumeId == id }) {
			return nil, nounVolume.Missing(id)
		}
	}
	l := listing[Volume]{
		key:  func(v Volume) string { return *v.VolumeId },
		tags: func(v Volume) []Tag { return v.Tags },
		fields: fields[Volume]{
			"attachment.attach-time":           func(v Volume) []string { return moment(v.Attachments[0].AttachTime) },
			"attachment.delete-on-termination": func(v Volume) []string { return flag(v.Attachments[0].DeleteOnTermination) },
			"create-time":                      func(v Volume) []string { return moment(v.CreateTime) },
			"multi-attach-enabled":             func(v Volume) []string { return flag(v.MultiAttachEnabled) },
			"fast-restored":                    func(v Volume) []string { return flag(v.FastRestored) },
			"snapshot-id":                      func(v Volume) []string { return text(v.SnapshotId) },
			"attachment.instance-id":           func(v Volume) []string { return text(v.Attachments[0].InstanceId) },
			"attachment.device":                func(v Volume) []string { return text(v.Attachments[0].Device) },
			"attachment.status":                func(v Volume) []string { return text(v.Attachments[0].State) },
			"availability-zone":                func(v Volume) []string { return text(v.AvailabilityZone) },
			"encrypted":                        func(v Volume) []string { return flag(v.Encrypted) },
			"size":                             func(v Volume) []string { return number(v.Size) },
			"status":                           func(v Volume) []string { return text(v.State) },
			"volume-id":                        func(v Volume) []string { return text(v.VolumeId) },
			"volume-type":                      func(v Volume) []string { return text(v.VolumeType) },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeVolumesOutput{Volumes: page, NextToken: next}, nil
}

// volumeOutput is the root volume that an instance is said to have. Its real disk is memory: see the coverage page.
func volumeOutput(i *resource.Instance) Volume {
	return Volume{
		Attachments: []VolumeAttachment{{
			AttachTime: timestamp(i.LaunchTime), DeleteOnTermination: new(true), Device: new(rootDevice), InstanceId: new(string(i.ID)),
			State: new("attached"), VolumeId: new(i.VolumeID),
		}},
		AvailabilityZone: new(i.AvailabilityZone), CreateTime: timestamp(i.LaunchTime), Encrypted: new(false), Iops: new(int64(3000)),
		MultiAttachEnabled: new(false), FastRestored: new(false), Size: new(int64(volumeGB)), SnapshotId: new(rootSnapshot), State: new("in-use"), Tags: tagSet(i.VolumeTags),
		Throughput: new(int64(125)), VolumeId: new(i.VolumeID), VolumeType: new("gp3"),
	}
}
