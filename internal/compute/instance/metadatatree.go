package instance

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tree is what there is to ask, path to value. Directories follow from the paths.
type tree map[string]string

// tree is the metadata of an instance (EC2 guide, "Instance metadata categories"): what we have of it.
func (f Facts) tree() tree {
	i, eni := f.Instance, f.Interface
	host := f.hostName(f.PrivateIP)
	t := tree{
		"meta-data/ami-id":                         i.ImageID,
		"meta-data/ami-launch-index":               strconv.Itoa(i.LaunchIndex),
		"meta-data/ami-manifest-path":              "(unknown)",
		"meta-data/hostname":                       host,
		"meta-data/local-hostname":                 host,
		"meta-data/instance-action":                "none",
		"meta-data/instance-id":                    string(i.ID),
		"meta-data/instance-life-cycle":            "on-demand",
		"meta-data/instance-type":                  i.InstanceType,
		"meta-data/local-ipv4":                     f.PrivateIP.String(),
		"meta-data/mac":                            eni.MAC,
		"meta-data/placement/availability-zone":    i.AvailabilityZone,
		"meta-data/placement/availability-zone-id": f.ZoneID,
		"meta-data/placement/region":               f.Region,
		"meta-data/profile":                        "default-hvm",
		"meta-data/reservation-id":                 i.ReservationID,
		"meta-data/security-groups":                strings.Join(f.GroupNames, "\n"),
		"meta-data/services/domain":                "amazonaws.com",
		"meta-data/services/partition":             "aws",
		"meta-data/block-device-mapping/ami":       "xvda",
		"meta-data/block-device-mapping/root":      "/dev/xvda",
		"dynamic/instance-identity/document":       f.identity(),
		"meta-data/system":                         "nitro",
	}
	for _, l := range f.links() {
		f.addInterface(t, l)
	}
	if six := f.Interface.IPv6Addresses; len(six) > 0 {
		t["meta-data/ipv6"] = six[0].String()
	}
	if f.PublicIP.IsValid() {
		t["meta-data/public-ipv4"] = f.PublicIP.String()
	}
	if f.PublicKey != "" {
		t["meta-data/public-keys/0/openssh-key"] = f.PublicKey + "\n"
	}
	if f.RoleName != "" {
		info, _ := json.MarshalIndent(map[string]string{ // strings only: never fails
			"Code": "Success", "LastUpdated": time.Now().UTC().Format(time.RFC3339), "InstanceProfileArn": f.ProfileARN, "InstanceProfileId": f.ProfileID,
		}, "", "  ")
		t["meta-data/iam/info"] = string(info)
		t["meta-data/iam/security-credentials/"+f.RoleName] = "" // answered apart; here for the listing
	}
	if i.Metadata.Tags {
		for k, v := range i.Tags {
			t["meta-data/tags/instance/"+k] = v
		}
	}
	return t
}

// links are the instance's interfaces, the first one first.
func (f Facts) links() []Link { return append([]Link{f.Link}, f.Further...) }

func (f Facts) hostName(a netip.Addr) string {
	return strings.ReplaceAll("ip-"+a.String(), ".", "-") + "." + f.Domain
}

func (f Facts) addInterface(t tree, l Link) {
	eni, device := l.Interface, 0
	if eni.Attachment != nil {
		device = eni.Attachment.DeviceIndex
	}
	base := "meta-data/network/interfaces/macs/" + eni.MAC + "/"
	var groups []string
	for _, g := range eni.GroupIDs {
		groups = append(groups, string(g))
	}
	for name, v := range map[string]string{
		"device-number": strconv.Itoa(device), "interface-id": string(eni.ID), "local-hostname": f.hostName(l.PrivateIP), "local-ipv4s": lines(eni.PrivateIPs),
		"mac": eni.MAC, "owner-id": f.Account, "security-group-ids": strings.Join(groups, "\n"), "security-groups": strings.Join(l.GroupNames, "\n"),
		"subnet-id": string(eni.SubnetID), "subnet-ipv4-cidr-block": l.SubnetCIDR.String(), "vpc-id": string(eni.VPCID),
		"vpc-ipv4-cidr-block": primary(l.VPCCIDRs), "vpc-ipv4-cidr-blocks": lines(l.VPCCIDRs),
	} {
		t[base+name] = v
	}
	l.addIPv6(t, base)
	if l.PublicIP.IsValid() {
		t[base+"public-ipv4s"] = l.PublicIP.String()
		t[base+"ipv4-associations/"+l.PublicIP.String()] = l.PrivateIP.String()
	}
}

// addIPv6 says what there is of IPv6: of what is not there, AWS has no item.
func (l Link) addIPv6(t tree, base string) {
	if six := l.Interface.IPv6Addresses; len(six) > 0 {
		t[base+"ipv6s"] = lines(six)
	}
	if l.SubnetIPv6.IsValid() {
		t[base+"subnet-ipv6-cidr-blocks"] = l.SubnetIPv6.String()
	}
	if len(l.VPCIPv6) > 0 {
		t[base+"vpc-ipv6-cidr-blocks"] = lines(l.VPCIPv6)
	}
}

// lines are the texts of some things, one in each line.
func lines[T fmt.Stringer](of []T) string {
	var out []string
	for _, t := range of {
		out = append(out, t.String())
	}
	return strings.Join(out, "\n")
}

func primary(blocks []netip.Prefix) string {
	if len(blocks) == 0 {
		return ""
	}
	return blocks[0].String()
}

// identity is the identity document. It is not signed: there is nobody who could check a signature.
func (f Facts) identity() string {
	b, _ := json.MarshalIndent(map[string]any{ // strings only: never fails
		"accountId": f.Account, "architecture": map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH], "availabilityZone": f.Instance.AvailabilityZone,
		"imageId": f.Instance.ImageID, "instanceId": f.Instance.ID, "instanceType": f.Instance.InstanceType,
		"pendingTime": f.Instance.LaunchTime.UTC().Format(time.RFC3339), "privateIp": f.PrivateIP.String(), "region": f.Region, "version": "2017-09-30",
	}, "", "  ")
	return string(b)
}

// find returns the value at a path, or the names below it; nil: neither is there.
func (t tree) find(path string) []byte {
	if v, ok := t[path]; ok && path != "" {
		return []byte(v)
	}
	dir := strings.TrimSuffix(path, "/")
	if dir != "" {
		dir += "/"
	}
	names := map[string]bool{}
	for k := range t {
		rest, ok := strings.CutPrefix(k, dir)
		if !ok {
			continue
		}
		name, _, more := strings.Cut(rest, "/")
		if more {
			name += "/"
		}
		names[name] = true
	}
	if len(names) == 0 {
		return nil
	}
	var out []string
	for n := range names {
		out = append(out, n)
	}
	slices.Sort(out)
	return []byte(strings.Join(out, "\n"))
}
