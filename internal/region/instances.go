package region

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/culvert-cloud/culvert/internal/compute/instance"
	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/reconcile"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/ec2"
	"github.com/culvert-cloud/culvert/internal/service/sts"
	"github.com/culvert-cloud/culvert/internal/state"
)

// instancePrincipal is whom a role must trust to be given to instances.
const instancePrincipal = "ec2.amazonaws.com"

// openInstances makes what runs instances.
func (r *Region) openInstances(sandboxes sandbox.Driver, bundle string) {
	r.instances = instance.New(instance.Config{
		Log: r.config.Log, Network: r.network, Sandbox: sandboxes, CABundle: bundle,
		Facts: r.instanceFacts, Credentials: r.instanceCredentials, Memory: ec2.InstanceMemory, Report: r.reportInstance,
	})
	r.later(func() error { r.instances.Close(); return nil })
}

// console is what an instance has written.
func (r *Region) console(id resource.InstanceID) ([]byte, time.Time) {
	if r.instances == nil {
		return nil, time.Time{}
	}
	return r.instances.Console(id)
}

// startInstances keeps the instances as the state says, once the network is.
func (r *Region) startInstances(ctx context.Context) error {
	loop := reconcile.New(r.store, r.applyInstances, retryApply, r.config.Log)
	if err := loop.Once(ctx); err != nil {
		return fmt.Errorf("start the instances: %w", err)
	}
	running, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		loop.Start(running)
	}()
	r.later(func() error { stop(); <-done; return nil })
	return nil
}

func (r *Region) applyInstances(ctx context.Context) (uint64, error) {
	view := r.store.View()
	wanted := state.List[*resource.Instance](view)
	if len(wanted) > 0 {
		// An instance sits on its interface, so that must be there first. What the network cannot make is its own error.
		settled, cancel := context.WithTimeout(ctx, settleLimit)
		defer cancel()
		_ = r.loop.Settle(settled, view.Revision())
	}
	r.instances.Apply(wanted)
	return view.Revision(), nil
}

func (r *Region) reportInstance(id resource.InstanceID, e instance.Event) {
	_, err := r.store.Update(func(tx *state.Tx) error {
		switch e {
		case instance.Started:
			ec2.InstanceStarted(tx, id)
		case instance.Ended:
			ec2.InstanceEnded(tx, id)
		case instance.Failed:
			ec2.InstanceFailed(tx, id)
		}
		return nil
	})
	if err != nil {
		r.config.Log.Error("what became of an instance is not stored", "instance", id, "error", err)
	}
}

// instanceFacts are what an instance may know of itself.
func (r *Region) instanceFacts(id resource.InstanceID) (instance.Facts, bool) {
	view := r.store.View()
	i, ok := state.Get[*resource.Instance](view, id)
	if !ok {
		return instance.Facts{}, false
	}
	eni, ok := state.Get[*resource.NetworkInterface](view, i.InterfaceID)
	if !ok {
		return instance.Facts{}, false
	}
	f := instance.Facts{
		Instance: i, Link: r.instanceLink(view, eni), Region: view.Region(), Account: view.Account(),
		Resolver: netip.AddrFrom4([4]byte{169, 254, 169, 253}),
	}
	for _, further := range ec2.InterfacesOf(view, id) {
		if further.ID != eni.ID {
			f.Further = append(f.Further, r.instanceLink(view, further))
		}
	}
	f.ZoneID = r.zoneID(eni.SubnetID)
	if t := r.topology.Load().VPC(eni.VPCID); t != nil {
		f.Domain, f.Resolver = t.DomainName, t.Resolver
	}
	for _, k := range state.Select(view, func(k *resource.KeyPair) bool { return i.KeyName != "" && k.Name == i.KeyName }) {
		f.PublicKey = k.PublicKey
	}
	if p, ok := profileOf(view, i); ok {
		f.ProfileARN, f.ProfileID, f.RoleName = p.ARN, p.ID, p.Role
	}
	return f, true
}

func (r *Region) instanceLink(view state.Reader, eni *resource.NetworkInterface) instance.Link {
	l := instance.Link{Interface: eni, PrivateIP: eni.PrimaryIP()}
	for _, g := range eni.GroupIDs {
		if found, ok := state.Get[*resource.SecurityGroup](view, g); ok {
			l.GroupNames = append(l.GroupNames, found.Name)
		}
	}
	if s, ok := state.Get[*resource.Subnet](view, eni.SubnetID); ok {
		l.SubnetCIDR, l.SubnetIPv6 = s.CIDR, s.IPv6CIDR
	}
	if v, ok := state.Get[*resource.VPC](view, eni.VPCID); ok {
		for _, c := range v.IPv6CIDRs {
			l.VPCIPv6 = append(l.VPCIPv6, c.Prefix)
		}
	}
	if t := r.topology.Load().VPC(eni.VPCID); t != nil {
		l.VPCCIDRs = t.CIDRs
	}
	for _, a := range state.Select(view, func(a *resource.Address) bool { return a.NetworkInterfaceID == eni.ID && a.PrivateIP == l.PrivateIP }) {
		l.PublicIP = a.PublicIP
	}
	return l
}

func profileOf(v state.Reader, i *resource.Instance) (*resource.InstanceProfile, bool) {
	found := state.Select(v, func(p *resource.InstanceProfile) bool { return i.ProfileARN != "" && p.ARN == i.ProfileARN })
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
}

// instanceKeys are the condition keys of calls with an instance's credentials, wherever they are used: so a policy can
// ask that they are used where the instance is.
func instanceKeys(v state.Reader, i *resource.Instance) map[string]string {
	keys := map[string]string{
		"ec2:sourceinstancearn":    "arn:aws:ec2:" + v.Region() + ":" + v.Account() + ":instance/" + string(i.ID),
		"aws:ec2instancesourcevpc": string(i.VPCID),
	}
	if n, ok := state.Get[*resource.NetworkInterface](v, i.InterfaceID); ok && len(n.PrivateIPs) > 0 {
		keys["aws:ec2instancesourceprivateipv4"] = n.PrimaryIP().String()
	}
	return keys
}

// instanceCredentials makes a session of the role of an instance's profile.
func (r *Region) instanceCredentials(_ context.Context, id resource.InstanceID) (instance.Credentials, error) {
	view := r.store.View()
	i, ok := state.Get[*resource.Instance](view, id)
	if !ok {
		return instance.Credentials{}, fmt.Errorf("find instance %s: %w", id, state.ErrNotFound)
	}
	p, ok := profileOf(view, i)
	if !ok {
		return instance.Credentials{}, fmt.Errorf("find the instance profile %s: %w", i.ProfileARN, state.ErrNotFound)
	}
	role, ok := state.Get[*resource.Role](view, p.Role)
	if !ok {
		return instance.Credentials{}, fmt.Errorf("find role %s: %w", p.Role, state.ErrNotFound)
	}
	if !r.iam.AssumableBy(view, role.ARN, instancePrincipal) {
		return instance.Credentials{}, fmt.Errorf("the role %s does not trust %s", role.ARN, instancePrincipal)
	}
	c, err := r.vault.MintSession(role, sts.Session{Name: string(id), TTL: sessionLife, Keys: instanceKeys(view, i)})
	if err != nil {
		return instance.Credentials{}, err
	}
	return instance.Credentials{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken, Updated: time.Now(), Expires: c.Expiration,
	}, nil
}
