package ec2

import (
	"runtime"
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// defaultInstanceType is what a launch gets that names none.
const defaultInstanceType = "m1.small"

// architecture is that of every instance: of this machine.
var architecture = map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]

// instanceType is a size of instance. Its memory bounds the sandbox; its processors are not enforced.
type instanceType struct {
	name       string
	processors int64
	memoryMB   int64
	burstable  bool
	credits    string // how burstable ones pay
	interfaces int64  // at most
}

// instanceTypes are the sizes that can be launched (EC2 instance types guide, general purpose).
func instanceTypes() []instanceType {
	return []instanceType{
		{"m1.small", 1, 1740, false, "", 2},
		{"t2.nano", 1, 512, true, "standard", 2},
		{"t2.micro", 1, 1024, true, "standard", 2},
		{"t2.small", 1, 2048, true, "standard", 3},
		{"t2.medium", 2, 4096, true, "standard", 3},
		{"t3.nano", 2, 512, true, "unlimited", 2},
		{"t3.micro", 2, 1024, true, "unlimited", 2},
		{"t3.small", 2, 2048, true, "unlimited", 3},
		{"t3.medium", 2, 4096, true, "unlimited", 3},
		{"t3.large", 2, 8192, true, "unlimited", 3},
		{"t3a.nano", 2, 512, true, "unlimited", 2},
		{"t3a.micro", 2, 1024, true, "unlimited", 2},
		{"t3a.small", 2, 2048, true, "unlimited", 2},
		{"t3a.medium", 2, 4096, true, "unlimited", 3},
		{"m5.large", 2, 8192, false, "", 3},
		{"m5.xlarge", 4, 16384, false, "", 4},
		{"m6i.large", 2, 8192, false, "", 3},
		{"m7i.large", 2, 8192, false, "", 3},
		{"c5.large", 2, 4096, false, "", 3},
		{"c6i.large", 2, 4096, false, "", 3},
		{"r5.large", 2, 16384, false, "", 3},
	}
}

func findInstanceType(name string) (instanceType, error) {
	all := instanceTypes()
	i := slices.IndexFunc(all, func(t instanceType) bool { return t.name == name })
	if i < 0 {
		return instanceType{}, api.Errorf("InvalidParameterValue", "Invalid value '%s' for InstanceType.", name)
	}
	return all[i], nil
}

// InstanceMemory is the memory of an instance in bytes.
func InstanceMemory(i *resource.Instance) int64 {
	t, err := findInstanceType(i.InstanceType)
	if err != nil {
		return 512 << 20
	}
	return t.memoryMB << 20
}

func (s *ec2) describeInstanceTypes(_ *state.View, _ *api.Call, in *DescribeInstanceTypesInput) (*DescribeInstanceTypesOutput, error) {
	for _, name := range in.InstanceTypes {
		if _, err := findInstanceType(name); err != nil {
			return nil, api.Errorf("InvalidInstanceType", "The following supplied instance types do not exist: [%s]", name)
		}
	}
	all := []InstanceTypeInfo{}
	for _, t := range instanceTypes() {
		if len(in.InstanceTypes) == 0 || slices.Contains(in.InstanceTypes, t.name) {
			all = append(all, typeOutput(t))
		}
	}
	l := listing[InstanceTypeInfo]{
		key: func(t InstanceTypeInfo) string { return *t.InstanceType },
		fields: fields[InstanceTypeInfo]{
			"burstable-performance-supported": func(t InstanceTypeInfo) []string { return flag(t.BurstablePerformanceSupported) },
			"current-generation":              func(t InstanceTypeInfo) []string { return flag(t.CurrentGeneration) },
			"instance-type":                   func(t InstanceTypeInfo) []string { return text(t.InstanceType) },
			"memory-info.size-in-mib":         func(t InstanceTypeInfo) []string { return number(t.MemoryInfo.SizeInMiB) },
			"vcpu-info.default-vcpus":         func(t InstanceTypeInfo) []string { return number(t.VCpuInfo.DefaultVCpus) },
			"processor-info.supported-architecture": func(t InstanceTypeInfo) []string {
				return t.ProcessorInfo.SupportedArchitectures
			},
			"supported-virtualization-type":             func(t InstanceTypeInfo) []string { return t.SupportedVirtualizationTypes },
			"supported-usage-class":                     func(t InstanceTypeInfo) []string { return t.SupportedUsageClasses },
			"free-tier-eligible":                        func(t InstanceTypeInfo) []string { return flag(t.FreeTierEligible) },
			"hibernation-supported":                     func(t InstanceTypeInfo) []string { return flag(t.HibernationSupported) },
			"hypervisor":                                func(t InstanceTypeInfo) []string { return text(t.Hypervisor) },
			"instance-storage-supported":                func(t InstanceTypeInfo) []string { return flag(t.InstanceStorageSupported) },
			"network-info.efa-supported":                func(t InstanceTypeInfo) []string { return flag(t.NetworkInfo.EfaSupported) },
			"network-info.ena-support":                  func(t InstanceTypeInfo) []string { return text(t.NetworkInfo.EnaSupport) },
			"network-info.ipv4-addresses-per-interface": func(t InstanceTypeInfo) []string { return number(t.NetworkInfo.Ipv4AddressesPerInterface) },
			"network-info.ipv6-addresses-per-interface": func(t InstanceTypeInfo) []string { return number(t.NetworkInfo.Ipv6AddressesPerInterface) },
			"network-info.ipv6-supported":               func(t InstanceTypeInfo) []string { return flag(t.NetworkInfo.Ipv6Supported) },
			"network-info.maximum-network-cards":        func(t InstanceTypeInfo) []string { return number(t.NetworkInfo.MaximumNetworkCards) },
			"network-info.maximum-network-interfaces":   func(t InstanceTypeInfo) []string { return number(t.NetworkInfo.MaximumNetworkInterfaces) },
			"supported-boot-mode":                       func(t InstanceTypeInfo) []string { return t.SupportedBootModes },
			"supported-root-device-type":                func(t InstanceTypeInfo) []string { return t.SupportedRootDeviceTypes },
			"vcpu-info.default-cores":                   func(t InstanceTypeInfo) []string { return number(t.VCpuInfo.DefaultCores) },
			"vcpu-info.default-threads-per-core":        func(t InstanceTypeInfo) []string { return number(t.VCpuInfo.DefaultThreadsPerCore) },
			"bare-metal":                                func(t InstanceTypeInfo) []string { return flag(t.BareMetal) },
		}.without(typeFiltersWithoutValues()...),
		pages: pages{5, 100},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeInstanceTypesOutput{InstanceTypes: page, NextToken: next}, nil
}

func typeOutput(t instanceType) InstanceTypeInfo {
	return InstanceTypeInfo{
		BareMetal: new(false), BurstablePerformanceSupported: new(t.burstable), CurrentGeneration: new(t.name != defaultInstanceType),
		InstanceType: new(t.name), MemoryInfo: &MemoryInfo{SizeInMiB: new(t.memoryMB)}, Hypervisor: new("nitro"),
		VCpuInfo:      &VCpuInfo{DefaultVCpus: new(t.processors), DefaultCores: new(max(1, t.processors/2)), DefaultThreadsPerCore: new(min(t.processors, 2))},
		ProcessorInfo: &ProcessorInfo{SupportedArchitectures: []string{architecture}},
		NetworkInfo: &NetworkInfo{
			MaximumNetworkInterfaces: new(t.interfaces), Ipv4AddressesPerInterface: new(int64(maxPrivateAddresses)), Ipv6AddressesPerInterface: new(int64(maxPrivateAddresses)),
			Ipv6Supported: new(true), EnaSupport: new("required"), EfaSupported: new(false), MaximumNetworkCards: new(int64(1)), DefaultNetworkCardIndex: new(int64(0)),
		},
		InstanceStorageSupported: new(false), FreeTierEligible: new(t.name == "t2.micro" || t.name == "t3.micro"), HibernationSupported: new(false),
		DedicatedHostsSupported: new(false), SupportedRootDeviceTypes: []string{"ebs"}, SupportedUsageClasses: []string{"on-demand"},
		SupportedVirtualizationTypes: []string{"hvm"}, SupportedBootModes: []string{"uefi"},
	}
}

func (s *ec2) describeInstanceTypeOfferings(v *state.View, _ *api.Call, in *DescribeInstanceTypeOfferingsInput) (*DescribeInstanceTypeOfferingsOutput, error) {
	where := []string{}
	switch kind := value(in.LocationType); kind {
	case "", "region":
		where = append(where, v.Region())
	case "availability-zone":
		for _, z := range zones(v.Region()) {
			where = append(where, z.name)
		}
	case "availability-zone-id":
		for _, z := range zones(v.Region()) {
			where = append(where, z.id)
		}
	default:
		return nil, invalidValue("locationType", kind)
	}
	kind := value(in.LocationType)
	if kind == "" {
		kind = "region"
	}
	all := []InstanceTypeOffering{}
	for _, place := range where {
		for _, t := range instanceTypes() {
			all = append(all, InstanceTypeOffering{InstanceType: new(t.name), Location: new(place), LocationType: new(kind)})
		}
	}
	l := listing[InstanceTypeOffering]{
		key: func(o InstanceTypeOffering) string { return *o.Location + "/" + *o.InstanceType },
		fields: fields[InstanceTypeOffering]{
			"instance-type": func(o InstanceTypeOffering) []string { return text(o.InstanceType) },
			"location":      func(o InstanceTypeOffering) []string { return text(o.Location) },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeInstanceTypeOfferingsOutput{InstanceTypeOfferings: page, NextToken: next}, nil
}

// typeFiltersWithoutValues are AWS's filters for hardware that is not here.
func typeFiltersWithoutValues() []string {
	return []string{
		"auto-recovery-supported", "ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps", "ebs-info.ebs-optimized-info.baseline-iops",
		"ebs-info.ebs-optimized-info.baseline-throughput-in-mbps", "ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps", "ebs-info.ebs-optimized-info.maximum-iops",
		"ebs-info.ebs-optimized-info.maximum-throughput-in-mbps", "ebs-info.ebs-optimized-support", "ebs-info.encryption-support",
		"ebs-info.nvme-support", "instance-storage-info.disk.count", "instance-storage-info.disk.size-in-gb",
		"instance-storage-info.disk.type", "instance-storage-info.encryption-support", "instance-storage-info.nvme-support",
		"instance-storage-info.total-size-in-gb", "network-info.efa-info.maximum-efa-interfaces", "network-info.encryption-in-transit-supported",
		"network-info.network-performance", "nitro-enclaves-support", "nitro-tpm-support",
		"nitro-tpm-info.supported-versions", "processor-info.sustained-clock-speed-in-ghz", "processor-info.supported-features",
		"vcpu-info.valid-cores", "vcpu-info.valid-threads-per-core",
	}
}
