package ec2

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

const (
	maxLaunch        = 20       // instances of one call; AWS's own limit is one of processors
	maxUserData      = 16 << 10 // bytes, decoded
	shutdownStop     = "stop"
	shutdownTerminal = "terminate"
)

func instanceRef(id *string) ref { return ref{"instance", id} }

func (s *ec2) instanceOperations() []service.Operation {
	return []service.Operation{
		service.Update("RunInstances", s.runInstances, onFound(runRefs), service.Needs(passProfileRole)),
		service.View("DescribeInstances", s.describeInstances, service.OnAny()),
		service.View("DescribeInstanceStatus", s.describeInstanceStatus, service.OnAny()),
		service.Update("TerminateInstances", s.terminateInstances, on(func(in *TerminateInstancesInput) refs { return many("instance", in.InstanceIds) })),
		service.Update("StopInstances", s.stopInstances, on(func(in *StopInstancesInput) refs { return many("instance", in.InstanceIds) })),
		service.Update("StartInstances", s.startInstances, on(func(in *StartInstancesInput) refs { return many("instance", in.InstanceIds) })),
		service.Update("RebootInstances", s.rebootInstances, on(func(in *RebootInstancesInput) refs { return many("instance", in.InstanceIds) })),
		service.View("GetConsoleOutput", s.getConsoleOutput, on(func(in *GetConsoleOutputInput) refs { return refs{instanceRef(in.InstanceId)} })),
		service.View("DescribeInstanceAttribute", s.describeInstanceAttribute, on(func(in *DescribeInstanceAttributeInput) refs { return refs{instanceRef(in.InstanceId)} })),
		service.Update("ModifyInstanceAttribute", s.modifyInstanceAttribute, on(func(in *ModifyInstanceAttributeInput) refs { return refs{instanceRef(in.InstanceId)} })),
		service.Update("ModifyInstanceMetadataOptions", s.modifyInstanceMetadataOptions, on(func(in *ModifyInstanceMetadataOptionsInput) refs { return refs{instanceRef(in.InstanceId)} })),
		service.View("DescribeInstanceTypes", s.describeInstanceTypes, service.OnAny()),
		service.View("DescribeInstanceTypeOfferings", s.describeInstanceTypeOfferings, service.OnAny()),
		service.View("DescribeInstanceCreditSpecifications", s.describeInstanceCreditSpecifications, service.OnAny()),
		service.View("DescribeImages", s.describeImages, service.OnAny()),
		service.View("DescribeVolumes", s.describeVolumes, service.OnAny()),
	}
}

// launch is a checked request for instances.
type launch struct {
	in       *RunInstancesInput
	image    image
	kind     instanceType
	subnet   *resource.Subnet
	existing *resource.NetworkInterface // nil: one is made
	spec     vpcnet.InterfaceSpec
	public   bool
	keep     bool // the interface outlives the instance
	data     []byte
	profile  string // ARN
	options  resource.MetadataOptions
	behavior string
	tags     map[string]resource.Tags // by resource type
}

func (s *ec2) runInstances(tx *state.Tx, _ *api.Call, in *RunInstancesInput) (*RunInstancesOutput, error) {
	forgetOldInstances(tx)
	if err := refuseLaunchOptions(in); err != nil {
		return nil, err
	}
	input := *in
	input.ClientToken = nil
	token, err := newClientToken("RunInstances", in.ClientToken, input)
	if err != nil {
		return nil, err
	}
	reservation, err := token.seen(tx)
	if err != nil {
		return nil, err
	}
	if reservation == "" {
		l, err := checkLaunch(tx, in)
		if err != nil {
			return nil, err
		}
		reservation = tx.NewID("r")
		for n := range int(value(in.MaxCount)) {
			if err := s.launchOne(tx, l, reservation, n); err != nil {
				return nil, err
			}
		}
		token.made(tx, reservation)
	}
	out := launchOutput(tx, reservation, instancesOf(tx, reservation))
	return new(RunInstancesOutput(out)), nil
}

func instancesOf(r state.Reader, reservation string) []*resource.Instance {
	return state.Select(r, func(i *resource.Instance) bool { return i.ReservationID == reservation })
}

// launchOne stores an instance and its interface. The region starts it.
func (s *ec2) launchOne(tx *state.Tx, l *launch, reservation string, index int) error {
	eni := l.existing
	if eni == nil {
		var err error
		if eni, err = vpcnet.CreateInterface(tx, l.spec); err != nil {
			return err
		}
	}
	i := &resource.Instance{
		ID:                resource.InstanceID(tx.NewID("i")),
		ReservationID:     reservation,
		LaunchIndex:       index,
		ImageID:           l.image.id,
		InstanceType:      l.kind.name,
		KeyName:           value(l.in.KeyName),
		State:             resource.InstancePending,
		VPCID:             eni.VPCID,
		SubnetID:          eni.SubnetID,
		AvailabilityZone:  eni.AvailabilityZone,
		InterfaceID:       eni.ID,
		UserData:          l.data,
		Boots:             1,
		VolumeID:          tx.NewID("vol"),
		LaunchTime:        tx.Now(),
		ShutdownBehavior:  l.behavior,
		KeepFromStop:      value(l.in.DisableApiStop),
		KeepFromTerminate: value(l.in.DisableApiTermination),
		Metadata:          l.options,
		Tags:              l.tags["instance"],
		VolumeTags:        l.tags["volume"],
	}
	setProfile(tx, i, l.profile)
	held := *eni
	held.Attachment = &resource.Attachment{
		ID: tx.NewID("eni-attach"), InstanceOwnerID: tx.Account(), InstanceID: i.ID,
		AttachTime: tx.Now(), DeleteOnTermination: !l.keep,
	}
	tx.Put(&held)
	tx.Put(i)
	if l.public {
		return s.assignPublic(tx, &held)
	}
	return nil
}

// assignPublic gives an interface a public address that lasts as long as its instance runs.
func (s *ec2) assignPublic(tx *state.Tx, eni *resource.NetworkInterface) error {
	ip, err := s.choosePublicIP(tx, nil)
	if err != nil {
		return err
	}
	a := &resource.Address{AllocationID: resource.AllocationID("auto-" + string(eni.ID)), PublicIP: ip, AutoAssigned: true}
	associateWith(tx, a, eni, eni.PrimaryIP())
	return nil
}

func checkLaunch(r state.Reader, in *RunInstancesInput) (*launch, error) {
	l := &launch{in: in, behavior: shutdownStop}
	for _, check := range []func(state.Reader) error{l.count, l.machine, l.place, l.access, l.boot, l.label} {
		if err := check(r); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *launch) count(state.Reader) error {
	low, high := value(l.in.MinCount), value(l.in.MaxCount)
	if low < 1 || high < low {
		return api.Errorf("InvalidParameterValue", "Value (%d) for parameter maxCount is invalid. It must be at least minCount, and minCount at least 1.", high)
	}
	if high > maxLaunch {
		return api.Errorf("InstanceLimitExceeded", "You have requested more instances (%d) than your current instance limit of %d allows for one call.", high, maxLaunch)
	}
	return nil
}

func (l *launch) machine(r state.Reader) (err error) {
	if l.image, err = findImage(r, l.in.ImageId); err != nil {
		return err
	}
	name := value(l.in.InstanceType)
	if name == "" {
		name = defaultInstanceType
	}
	l.kind, err = findInstanceType(name)
	return err
}

// place finds where the instance's interface is to be: at the top level of the request, or in its one interface
// specification.
func (l *launch) place(r state.Reader) error {
	in := l.in
	spec := InstanceNetworkInterfaceSpecification{
		SubnetId: in.SubnetId, Groups: in.SecurityGroupIds, PrivateIpAddress: in.PrivateIpAddress,
		Ipv6Addresses: in.Ipv6Addresses, Ipv6AddressCount: in.Ipv6AddressCount,
	}
	if len(in.NetworkInterfaces) > 0 {
		if given(in.SubnetId) || len(in.SecurityGroupIds) > 0 || given(in.PrivateIpAddress) || len(in.Ipv6Addresses) > 0 || in.Ipv6AddressCount != nil {
			return api.Errorf("InvalidParameterCombination", "Network interfaces and an instance-level subnet ID or security groups may not be specified on the same request")
		}
		spec = in.NetworkInterfaces[0]
	}
	if value(spec.DeviceIndex) != 0 {
		return api.Errorf("InvalidParameterCombination", "The primary network interface of an instance has device index 0.")
	}
	if given(spec.NetworkInterfaceId) {
		return l.useInterface(r, spec)
	}
	return l.newInterface(r, spec)
}

func (l *launch) useInterface(r state.Reader, spec InstanceNetworkInterfaceSpecification) error {
	eni, err := find[*resource.NetworkInterface](r, vpcnet.ENI, "networkInterfaceId", spec.NetworkInterfaceId)
	if err != nil {
		return err
	}
	switch {
	case eni.Attachment != nil:
		return api.Errorf("InvalidNetworkInterface.InUse", "Interface: [%s] in use.", eni.ID)
	case value(l.in.MaxCount) > 1:
		return api.Errorf("InvalidParameterCombination", "Existing network interfaces may only be used with a single instance.")
	case len(spec.Groups) > 0 || given(spec.SubnetId) || given(spec.PrivateIpAddress) || value(spec.AssociatePublicIpAddress) ||
		len(spec.Ipv6Addresses) > 0 || value(spec.Ipv6AddressCount) > 0:
		return api.Errorf("InvalidParameterCombination", "A network interface may not specify both a network interface ID and a subnet, groups or addresses")
	}
	l.existing, l.keep = eni, !value(spec.DeleteOnTermination)
	l.subnet, err = vpcnet.FindSubnet(r, string(eni.SubnetID))
	return err
}

func (l *launch) newInterface(r state.Reader, spec InstanceNetworkInterfaceSpecification) (err error) {
	if l.subnet, err = l.findSubnet(r, spec.SubnetId); err != nil {
		return err
	}
	groups, err := vpcnet.FindGroups(r, l.subnet.VPCID, spec.Groups)
	if err != nil {
		return err
	}
	l.spec = vpcnet.InterfaceSpec{
		SubnetID: l.subnet.ID, Type: resource.InterfaceTypeInterface, Description: value(spec.Description),
		Secondary: int(value(spec.SecondaryPrivateIpAddressCount)),
	}
	for _, g := range groups {
		l.spec.GroupIDs = append(l.spec.GroupIDs, g.ID)
	}
	l.spec.Addresses, err = interfaceAddresses(&CreateNetworkInterfaceInput{PrivateIpAddress: spec.PrivateIpAddress, PrivateIpAddresses: spec.PrivateIpAddresses})
	if err != nil {
		return err
	}
	if l.spec.Secondary < 0 || l.spec.Secondary+len(l.spec.Addresses) > maxPrivateAddresses {
		return api.Errorf("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")
	}
	if l.spec.IPv6Addresses, l.spec.IPv6Count, err = parseIPv6Wish(ipv6Texts(spec.Ipv6Addresses), spec.Ipv6AddressCount); err != nil {
		return err
	}
	if len(l.spec.Addresses)+len(l.spec.IPv6Addresses) > 0 && value(l.in.MaxCount) > 1 {
		return api.Errorf("InvalidParameterCombination", "A private IP address may only be given for a single instance.")
	}
	l.keep = spec.DeleteOnTermination != nil && !*spec.DeleteOnTermination
	l.public = l.subnet.MapPublicIPOnLaunch
	if spec.AssociatePublicIpAddress != nil {
		l.public = *spec.AssociatePublicIpAddress
	}
	return nil
}

// findSubnet finds the subnet, or the default one where the request names none.
func (l *launch) findSubnet(r state.Reader, id *string) (*resource.Subnet, error) {
	if given(id) {
		return vpcnet.FindSubnet(r, *id)
	}
	var zone string
	if l.in.Placement != nil {
		zone = value(l.in.Placement.AvailabilityZone)
	}
	found := state.Select(r, func(s *resource.Subnet) bool {
		return s.DefaultForAZ && (zone == "" || s.AvailabilityZone == zone)
	})
	if len(found) == 0 {
		return nil, api.Errorf("MissingInput", "No subnets found for the default VPC. Please specify a subnet.")
	}
	slices.SortFunc(found, func(a, b *resource.Subnet) int { return strings.Compare(a.AvailabilityZone, b.AvailabilityZone) })
	return found[0], nil
}

// access checks who may reach the instance and what it may do.
func (l *launch) access(r state.Reader) error {
	in := l.in
	if given(in.KeyName) {
		if _, ok := keyPairNamed(r, *in.KeyName); !ok {
			return api.Errorf("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", *in.KeyName)
		}
	}
	if in.IamInstanceProfile != nil {
		p, err := findProfile(r, in.IamInstanceProfile)
		if err != nil {
			return err
		}
		l.profile = p
	}
	l.options = resource.MetadataOptions{HopLimit: 2}
	if in.MetadataOptions != nil {
		m := in.MetadataOptions
		return changeMetadata(&l.options, m.HttpEndpoint, m.HttpTokens, m.HttpProtocolIpv6, m.InstanceMetadataTags, m.HttpPutResponseHopLimit)
	}
	return nil
}

func (l *launch) boot(state.Reader) error {
	data, err := decodeUserData(value(l.in.UserData))
	if err != nil {
		return err
	}
	l.data = data
	if given(l.in.InstanceInitiatedShutdownBehavior) {
		l.behavior = *l.in.InstanceInitiatedShutdownBehavior
	}
	return checkShutdownBehavior(l.behavior)
}

func checkShutdownBehavior(b string) error {
	if b != shutdownStop && b != shutdownTerminal {
		return invalidValue("instanceInitiatedShutdownBehavior", b)
	}
	return nil
}

// decodeUserData accepts what an instance here can run: nothing, a script, or a script for each boot.
func decodeUserData(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, api.Errorf("InvalidParameterValue", "Invalid BASE64 encoding of user data.")
	}
	if len(data) > maxUserData {
		return nil, api.Errorf("InvalidParameterValue", "User data is limited to %d bytes", maxUserData)
	}
	if bootable := strings.HasPrefix(string(data), "#!") || strings.HasPrefix(string(data), "#cloud-boothook"); !bootable {
		return nil, unsupported("User data must be a script that begins with #! (or with #cloud-boothook and then a script, which runs at each boot); other formats of cloud-init are not supported in this region.")
	}
	return data, nil
}

func (l *launch) label(r state.Reader) error {
	l.tags = map[string]resource.Tags{"instance": {}, "volume": {}, "network-interface": {}}
	for _, s := range l.in.TagSpecifications {
		kind := value(s.ResourceType)
		if _, ok := l.tags[kind]; !ok {
			return api.Errorf("InvalidParameterValue", "'%s' is not a valid taggable resource type for this operation.", kind)
		}
		tags, err := newTagsFor([]TagSpecification{s}, kind)
		if err != nil {
			return err
		}
		l.tags[kind] = tags
	}
	l.spec.Tags = l.tags["network-interface"]
	return nil
}
