package ec2

import (
	"slices"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

func (s *ec2) prefixListUseOperations() []service.Operation {
	return []service.Operation{
		service.Update("RestoreManagedPrefixListVersion", s.restoreManagedPrefixListVersion, on(func(in *RestoreManagedPrefixListVersionInput) refs { return refs{listRef(in.PrefixListId)} })),
		service.View("GetManagedPrefixListAssociations", s.getManagedPrefixListAssociations, on(func(in *GetManagedPrefixListAssociationsInput) refs { return refs{listRef(in.PrefixListId)} })),
	}
}

// remember keeps the entries that a list had before they are changed. The oldest is forgotten beyond the quota.
func remember(r state.Reader, p *resource.PrefixList) []resource.PrefixListVersion {
	out := append(slices.Clone(p.Earlier), resource.PrefixListVersion{Version: p.Version, Entries: p.Entries})
	if over := len(out) + 1 - r.Quota(resource.QuotaPrefixListVersions); over > 0 { // the present one counts
		out = slices.Delete(out, 0, over)
	}
	return out
}

// entriesAt are the entries that a list had in a version.
func entriesAt(p *resource.PrefixList, version int64) ([]resource.PrefixListEntry, error) {
	if version == p.Version {
		return p.Entries, nil
	}
	at := slices.IndexFunc(p.Earlier, func(v resource.PrefixListVersion) bool { return v.Version == version })
	if at < 0 {
		return nil, api.Errorf("InvalidParameterValue", "The prefix list %s has no version %d.", p.ID, version)
	}
	return p.Earlier[at].Entries, nil
}

// restoreManagedPrefixListVersion makes a new version with the entries of an old one.
func (s *ec2) restoreManagedPrefixListVersion(tx *state.Tx, _ *api.Call, in *RestoreManagedPrefixListVersionInput) (*RestoreManagedPrefixListVersionOutput, error) {
	old, err := customerList(tx, in.PrefixListId)
	switch {
	case err != nil:
		return nil, err
	case in.PreviousVersion == nil:
		return nil, missing("previousVersion")
	case in.CurrentVersion == nil:
		return nil, missing("currentVersion")
	case *in.CurrentVersion != old.Version:
		return nil, api.Errorf("PrefixListVersionMismatch", "The prefix list has the incorrect version number")
	}
	entries, err := entriesAt(old, *in.PreviousVersion)
	if err != nil {
		return nil, err
	}
	if len(entries) > old.MaxEntries {
		return nil, api.Errorf("PrefixListMaxEntriesExceeded", "You've reached the maximum number of entries for the prefix list.")
	}
	p := *old
	p.Earlier = remember(tx, old)
	p.Entries = entries
	p.Version++
	tx.Put(&p)
	out := managedListOutput(tx, &p)
	out.State = new("restore-in-progress")
	return &RestoreManagedPrefixListVersionOutput{PrefixList: &out}, nil
}

// getManagedPrefixListAssociations lists what names a list: security groups and route tables.
func (s *ec2) getManagedPrefixListAssociations(v *state.View, _ *api.Call, in *GetManagedPrefixListAssociationsInput) (*GetManagedPrefixListAssociationsOutput, error) {
	p, err := find[*resource.PrefixList](v, nounPrefixList, "prefixListId", in.PrefixListId)
	if err != nil {
		return nil, err
	}
	all := []PrefixListAssociation{}
	add := func(id string) {
		all = append(all, PrefixListAssociation{ResourceId: new(id), ResourceOwner: new(v.Account())})
	}
	for _, g := range state.Select(v, func(g *resource.SecurityGroup) bool { return groupNames(g, p.ID) }) {
		add(string(g.ID))
	}
	for _, t := range state.Select(v, func(t *resource.RouteTable) bool { return tableNames(t, p.ID) }) {
		add(string(t.ID))
	}
	l := listing[PrefixListAssociation]{key: func(a PrefixListAssociation) string { return *a.ResourceId }, pages: pages{most: 255}}
	page, next, err := l.answer(all, nil, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &GetManagedPrefixListAssociationsOutput{PrefixListAssociations: page, NextToken: next}, nil
}

func tableNames(t *resource.RouteTable, id resource.PrefixListID) bool {
	return slices.ContainsFunc(t.Routes, func(r resource.Route) bool { return r.DestinationPrefixListID == id })
}

// checkRouteCount counts as AWS does: each address family apart, and a route with a prefix list as many as the list may have entries.
func checkRouteCount(r state.Reader, t *resource.RouteTable) error {
	n := map[bool]int{} // by whether it is IPv6
	for _, route := range t.Routes {
		d := destinationOf(route)
		if d.list == "" {
			n[d.six(r)]++
		} else {
			n[d.six(r)] += weight(r, d.list)
		}
	}
	if max(n[false], n[true]) > r.Quota(resource.QuotaRoutes) {
		return api.Errorf("RouteLimitExceeded", "The maximum number of routes has been reached.")
	}
	return nil
}
