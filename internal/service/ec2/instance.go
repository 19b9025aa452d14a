package ec2

import (
	"encoding/base64"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
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
	data     []byte
	profile  string // ARN
	options  resource.MetadataOptions
	behavior string
	tags     map[string]resource.Tags // by resource type

	interfaces []*launchInterface // ordered by device index, the first is 0
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

// launchOne stores an instance and its interfaces. The region starts it.
func (s *ec2) launchOne(tx *state.Tx, l *launch, reservation string, index int) error {
	enis, err := l.makeInterfaces(tx)
	if err != nil {
		return err
	}
	eni := enis[0]
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
	for n, eni := range enis {
		held := attach(tx, eni, i.ID, l.interfaces[n].device, l.interfaces[n].goes)
		if l.interfaces[n].public {
			if err := s.assignPublic(tx, held); err != nil {
				return err
			}
		}
	}
	tx.Put(i)
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
	return nil
}
