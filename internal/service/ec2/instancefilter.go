package ec2

import (
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

func instanceListing(r state.Reader, reservations map[string]string) listing[Instance] {
	f := fields[Instance]{
		"availability-zone":              func(i Instance) []string { return text(i.Placement.AvailabilityZone) },
		"architecture":                   func(i Instance) []string { return text(i.Architecture) },
		"client-token":                   func(i Instance) []string { return text(i.ClientToken) },
		"dns-name":                       func(i Instance) []string { return text(i.PublicDnsName) },
		"hypervisor":                     func(i Instance) []string { return text(i.Hypervisor) },
		"iam-instance-profile.arn":       func(i Instance) []string { return text(value(i.IamInstanceProfile).Arn) },
		"iam-instance-profile.id":        func(i Instance) []string { return text(value(i.IamInstanceProfile).Id) },
		"image-id":                       func(i Instance) []string { return text(i.ImageId) },
		"instance-id":                    func(i Instance) []string { return text(i.InstanceId) },
		"instance-state-code":            func(i Instance) []string { return number(i.State.Code) },
		"instance-state-name":            func(i Instance) []string { return text(i.State.Name) },
		"instance-type":                  func(i Instance) []string { return text(i.InstanceType) },
		"ip-address":                     func(i Instance) []string { return text(i.PublicIpAddress) },
		"key-name":                       func(i Instance) []string { return text(i.KeyName) },
		"launch-index":                   func(i Instance) []string { return number(i.AmiLaunchIndex) },
		"launch-time":                    func(i Instance) []string { return moment(i.LaunchTime) },
		"metadata-options.http-endpoint": func(i Instance) []string { return text(i.MetadataOptions.HttpEndpoint) },
		"metadata-options.http-tokens":   func(i Instance) []string { return text(i.MetadataOptions.HttpTokens) },
		"owner-id":                       func(Instance) []string { return []string{r.Account()} },
		"private-dns-name":               func(i Instance) []string { return text(i.PrivateDnsName) },
		"private-ip-address":             func(i Instance) []string { return text(i.PrivateIpAddress) },
		"reservation-id":                 func(i Instance) []string { return []string{reservations[*i.InstanceId]} },
		"root-device-name":               func(i Instance) []string { return text(i.RootDeviceName) },
		"root-device-type":               func(i Instance) []string { return text(i.RootDeviceType) },
		"source-dest-check":              func(i Instance) []string { return flag(i.SourceDestCheck) },
		"state-reason-code":              func(i Instance) []string { return text(value(i.StateReason).Code) },
		"subnet-id":                      func(i Instance) []string { return text(i.SubnetId) },
		"ipv6-address":                   func(i Instance) []string { return text(i.Ipv6Address) },
		"affinity":                       func(i Instance) []string { return text(i.Placement.Affinity) },
		"capacity-reservation-specification.capacity-reservation-preference": func(i Instance) []string {
			return text(i.CapacityReservationSpecification.CapacityReservationPreference)
		},
		"ebs-optimized":                                                 func(i Instance) []string { return flag(i.EbsOptimized) },
		"ena-support":                                                   func(i Instance) []string { return flag(i.EnaSupport) },
		"enclave-options.enabled":                                       func(i Instance) []string { return flag(i.EnclaveOptions.Enabled) },
		"hibernation-options.configured":                                func(i Instance) []string { return flag(i.HibernationOptions.Configured) },
		"iam-instance-profile.name":                                     func(i Instance) []string { return profileName(r, i) },
		"maintenance-options.auto-recovery":                             func(i Instance) []string { return text(i.MaintenanceOptions.AutoRecovery) },
		"metadata-options.http-protocol-ipv4":                           func(i Instance) []string { return text(i.MetadataOptions.HttpEndpoint) },
		"metadata-options.http-protocol-ipv6":                           func(i Instance) []string { return text(i.MetadataOptions.HttpProtocolIpv6) },
		"metadata-options.http-put-response-hop-limit":                  func(i Instance) []string { return number(i.MetadataOptions.HttpPutResponseHopLimit) },
		"metadata-options.instance-metadata-tags":                       func(i Instance) []string { return text(i.MetadataOptions.InstanceMetadataTags) },
		"metadata-options.state":                                        func(i Instance) []string { return text(i.MetadataOptions.State) },
		"monitoring-state":                                              func(i Instance) []string { return text(i.Monitoring.State) },
		"platform-details":                                              func(i Instance) []string { return text(i.PlatformDetails) },
		"private-dns-name-options.hostname-type":                        func(i Instance) []string { return text(value(i.PrivateDnsNameOptions).HostnameType) },
		"private-dns-name-options.enable-resource-name-dns-a-record":    func(i Instance) []string { return flag(value(i.PrivateDnsNameOptions).EnableResourceNameDnsARecord) },
		"private-dns-name-options.enable-resource-name-dns-aaaa-record": func(i Instance) []string { return flag(value(i.PrivateDnsNameOptions).EnableResourceNameDnsAAAARecord) },
		"reason":                      func(i Instance) []string { return text(i.StateTransitionReason) },
		"state-reason-message":        func(i Instance) []string { return text(value(i.StateReason).Message) },
		"usage-operation":             func(i Instance) []string { return text(i.UsageOperation) },
		"usage-operation-update-time": func(i Instance) []string { return moment(i.UsageOperationUpdateTime) },
		"tenancy":                     func(i Instance) []string { return text(i.Placement.Tenancy) },
		"virtualization-type":         func(i Instance) []string { return text(i.VirtualizationType) },
		"vpc-id":                      func(i Instance) []string { return text(i.VpcId) },
		"instance-lifecycle":          none[Instance],
		"spot-instance-request-id":    none[Instance],
		"placement-group-name":        none[Instance],
		"platform":                    none[Instance],
	}
	groups := func(of func(GroupIdentifier) *string) func(Instance) []string {
		return func(i Instance) []string { return each(i.SecurityGroups, of) }
	}
	f["instance.group-id"] = groups(func(g GroupIdentifier) *string { return g.GroupId })
	f["instance.group-name"] = groups(func(g GroupIdentifier) *string { return g.GroupName })
	f["group-id"], f["group-name"] = f["instance.group-id"], f["instance.group-name"]
	f["block-device-mapping.attach-time"] = func(i Instance) []string {
		return mapped(i, func(e EbsInstanceBlockDevice) []string { return moment(e.AttachTime) })
	}
	f["block-device-mapping.delete-on-termination"] = func(i Instance) []string {
		return mapped(i, func(e EbsInstanceBlockDevice) []string { return flag(e.DeleteOnTermination) })
	}
	f["block-device-mapping.status"] = func(i Instance) []string {
		return mapped(i, func(e EbsInstanceBlockDevice) []string { return text(e.Status) })
	}
	f["block-device-mapping.device-name"] = func(i Instance) []string {
		return each(i.BlockDeviceMappings, func(b InstanceBlockDeviceMapping) *string { return b.DeviceName })
	}
	addInterfaceFilters(r, f)
	f["block-device-mapping.volume-id"] = func(i Instance) []string {
		return each(i.BlockDeviceMappings, func(b InstanceBlockDeviceMapping) *string { return b.Ebs.VolumeId })
	}
	return listing[Instance]{
		key:  func(i Instance) string { return *i.InstanceId },
		tags: func(i Instance) []Tag { return i.Tags },
		fields: f.without(
			"boot-mode", "capacity-reservation-id", "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id",
			"capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn", "current-instance-boot-mode",
			"host-id", "instance-lifecycle", "kernel-id", "outpost-arn", "placement-group-name", "placement-partition-number", "platform",
			"product-code", "product-code.type", "ramdisk-id", "requester-id", "spot-instance-request-id", "tpm-support",
		),
	}
}

// addInterfaceFilters takes the filters of an instance's interfaces from those of interfaces themselves.
func addInterfaceFilters(r state.Reader, f fields[Instance]) {
	add := func(name string, get func(NetworkInterface) []string) {
		f["network-interface."+name] = func(i Instance) (out []string) {
			for _, n := range i.NetworkInterfaces {
				if eni, ok := state.Get[*resource.NetworkInterface](r, *n.NetworkInterfaceId); ok {
					out = append(out, get(interfaceOutput(r, eni))...)
				}
			}
			return out
		}
	}
	for name, get := range interfaceListing().fields {
		add(name, get)
	}
	add("tag-key", func(n NetworkInterface) []string { return tagKeys(n.TagSet) })
	add("tag-value", func(n NetworkInterface) []string { return allTagValues(n.TagSet) })
	add("attachment.network-card-index", func(n NetworkInterface) []string { return number(value(n.Attachment).NetworkCardIndex) })
	add("addresses.private-dns-name", func(n NetworkInterface) []string {
		return each(n.PrivateIpAddresses, func(a NetworkInterfacePrivateIpAddress) *string { return a.PrivateDnsName })
	})
	addresses := func(get func(NetworkInterfaceAssociation) *string) func(NetworkInterface) []string {
		return func(n NetworkInterface) []string {
			return each(n.PrivateIpAddresses, func(a NetworkInterfacePrivateIpAddress) *string { return get(value(a.Association)) })
		}
	}
	add("addresses.association.allocation-id", addresses(func(a NetworkInterfaceAssociation) *string { return a.AllocationId }))
	add("addresses.association.association-id", addresses(func(a NetworkInterfaceAssociation) *string { return a.AssociationId }))
	add("addresses.association.ip-owner-id", addresses(func(a NetworkInterfaceAssociation) *string { return a.IpOwnerId }))
	add("addresses.association.public-dns-name", addresses(func(a NetworkInterfaceAssociation) *string { return a.PublicDnsName }))
	add("public-dns-name", addresses(func(a NetworkInterfaceAssociation) *string { return a.PublicDnsName }))
	add("ipv6-address", func(n NetworkInterface) []string { return text(n.Ipv6Address) })
	add("ipv6-addresses.is-primary-ipv6", func(n NetworkInterface) []string {
		var out []string
		for _, a := range n.Ipv6Addresses {
			out = append(out, flag(a.IsPrimaryIpv6)...)
		}
		return out
	})
	add("ipv6-native", func(n NetworkInterface) []string { return flag(n.Ipv6Native) })
	for _, name := range []string{
		"addresses.association.carrier-ip", "addresses.association.customer-owned-ip", "association.carrier-ip", "association.customer-owned-ip",
		"deny-all-igw-traffic", "ipv4-prefixes.ipv4-prefix", "ipv6-prefixes.ipv6-prefix", "outpost-arn",
	} {
		add(name, none[NetworkInterface])
	}
}

// mapped are the values of an instance's volumes.
func mapped(i Instance, of func(EbsInstanceBlockDevice) []string) []string {
	var out []string
	for _, b := range i.BlockDeviceMappings {
		out = append(out, of(value(b.Ebs))...)
	}
	return out
}

func profileName(r state.Reader, i Instance) []string {
	p, ok := profileByARN(r, value(value(i.IamInstanceProfile).Arn))
	if !ok {
		return nil
	}
	return []string{p.Name}
}

// without adds fields that no item has a value for.
func (f fields[T]) without(names ...string) fields[T] {
	for _, name := range names {
		f[name] = none[T]
	}
	return f
}
