package ec2

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/state"
)

// What the root volume of every image is said to be.
const (
	volumeGB     = 8
	rootSnapshot = "snap-0c0ffee0c0ffee000"
	amazonOwner  = "137112412989" // the account that AWS publishes Amazon Linux from
)

// image is one that instances can be launched from. All of them show the same thing, this machine's programs; they
// exist so that configurations which look for the newest Amazon Linux find one.
type image struct{ id, name, description, created string }

func images() []image {
	return []image{
		{"ami-0a12023000000c001", "al2023-ami-2023.9.20260601.0-kernel-6.1-" + architecture, "Amazon Linux 2023 (Culvert: the programs of this machine)", "2026-06-01T00:00:00.000Z"},
		{"ami-0a12023000000c002", "al2023-ami-minimal-2023.9.20260601.0-kernel-6.1-" + architecture, "Amazon Linux 2023 minimal (Culvert: the programs of this machine)", "2026-06-01T00:00:00.000Z"},
		{"ami-0a20000000000c003", "amzn2-ami-kernel-5.10-hvm-2.0.20260601.0-" + architecture + "-gp2", "Amazon Linux 2 (Culvert: the programs of this machine)", "2026-06-01T00:00:00.000Z"},
	}
}

func findImage(_ state.Reader, id *string) (image, error) {
	if !given(id) {
		return image{}, missing("ImageId")
	}
	all := images()
	i := slices.IndexFunc(all, func(m image) bool { return m.id == *id })
	if i < 0 {
		return image{}, api.Errorf("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", *id)
	}
	return all[i], nil
}

func (s *ec2) describeImages(v *state.View, _ *api.Call, in *DescribeImagesInput) (*DescribeImagesOutput, error) {
	for _, id := range in.ImageIds {
		if _, err := findImage(v, &id); err != nil {
			return nil, err
		}
	}
	ours := len(in.Owners) == 0 || slices.Contains(in.Owners, "amazon") || slices.Contains(in.Owners, amazonOwner)
	all := []Image{}
	for _, m := range images() {
		if ours && (len(in.ImageIds) == 0 || slices.Contains(in.ImageIds, m.id)) {
			all = append(all, imageOutput(m))
		}
	}
	l := listing[Image]{
		key:  func(m Image) string { return *m.ImageId },
		tags: func(m Image) []Tag { return m.Tags },
		fields: fields[Image]{
			"architecture":        func(m Image) []string { return text(m.Architecture) },
			"creation-date":       func(m Image) []string { return text(m.CreationDate) },
			"description":         func(m Image) []string { return text(m.Description) },
			"ena-support":         func(m Image) []string { return flag(m.EnaSupport) },
			"hypervisor":          func(m Image) []string { return text(m.Hypervisor) },
			"image-id":            func(m Image) []string { return text(m.ImageId) },
			"image-type":          func(m Image) []string { return text(m.ImageType) },
			"is-public":           func(m Image) []string { return flag(m.Public) },
			"name":                func(m Image) []string { return text(m.Name) },
			"owner-alias":         func(m Image) []string { return text(m.ImageOwnerAlias) },
			"owner-id":            func(m Image) []string { return text(m.OwnerId) },
			"root-device-name":    func(m Image) []string { return text(m.RootDeviceName) },
			"root-device-type":    func(m Image) []string { return text(m.RootDeviceType) },
			"state":               func(m Image) []string { return text(m.State) },
			"virtualization-type": func(m Image) []string { return text(m.VirtualizationType) },
			"block-device-mapping.volume-type": func(m Image) []string {
				return each(m.BlockDeviceMappings, func(b BlockDeviceMapping) *string { return b.Ebs.VolumeType })
			},
			"block-device-mapping.delete-on-termination": rootVolume(func(e EbsBlockDevice) []string { return flag(e.DeleteOnTermination) }),
			"block-device-mapping.snapshot-id":           rootVolume(func(e EbsBlockDevice) []string { return text(e.SnapshotId) }),
			"block-device-mapping.volume-size":           rootVolume(func(e EbsBlockDevice) []string { return number(e.VolumeSize) }),
			"block-device-mapping.encrypted":             rootVolume(func(e EbsBlockDevice) []string { return flag(e.Encrypted) }),
			"block-device-mapping.device-name": func(m Image) []string {
				return each(m.BlockDeviceMappings, func(b BlockDeviceMapping) *string { return b.DeviceName })
			},
			"manifest-location": func(m Image) []string { return text(m.ImageLocation) },
			"sriov-net-support": func(m Image) []string { return text(m.SriovNetSupport) },
		}.without("kernel-id", "platform", "product-code", "product-code.type", "ramdisk-id", "source-instance-id", "state-reason-code", "state-reason-message"),
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeImagesOutput{Images: page, NextToken: next}, nil
}

func rootVolume(of func(EbsBlockDevice) []string) func(Image) []string {
	return func(m Image) []string { return of(*m.BlockDeviceMappings[0].Ebs) }
}

func imageOutput(m image) Image {
	return Image{
		Architecture: new(architecture), CreationDate: new(m.created), Description: new(m.description), EnaSupport: new(true), Hypervisor: new("xen"),
		ImageId: new(m.id), ImageLocation: new("amazon/" + m.name), ImageOwnerAlias: new("amazon"), ImageType: new("machine"), ImdsSupport: new("v2.0"),
		Name: new(m.name), OwnerId: new(amazonOwner), PlatformDetails: new("Linux/UNIX"), Public: new(true), RootDeviceName: new(rootDevice),
		RootDeviceType: new("ebs"), SriovNetSupport: new("simple"), State: new("available"), UsageOperation: new("RunInstances"), VirtualizationType: new("hvm"),
		BootMode: new("uefi-preferred"), Tags: []Tag{},
		BlockDeviceMappings: []BlockDeviceMapping{{DeviceName: new(rootDevice), Ebs: &EbsBlockDevice{
			DeleteOnTermination: new(true), Encrypted: new(false), SnapshotId: new(rootSnapshot), VolumeSize: new(int64(volumeGB)), VolumeType: new("gp3"),
			Iops: new(int64(3000)), Throughput: new(int64(125)),
		}}},
	}
}
