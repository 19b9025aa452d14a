package ec2

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// servicePrefixList finds AWS's list for a service with gateway endpoints; nil if there is none.
func servicePrefixList(r state.Reader, service string) *resource.PrefixList {
	found := state.Select(r, func(p *resource.PrefixList) bool { return p.AWSManaged && p.Name == service })
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

func (s *ec2) createManagedPrefixList(tx *state.Tx, _ *api.Call, in *CreateManagedPrefixListInput) (*CreateManagedPrefixListOutput, error) {
	switch value(in.AddressFamily) {
	case "":
		return nil, missing("addressFamily")
	case familyIPv4, familyIPv6:
	default:
		return nil, invalidValue("addressFamily", *in.AddressFamily)
	}
	if err := checkListName(in.PrefixListName); err != nil {
		return nil, err
	}
	size, most := value(in.MaxEntries), tx.Quota(resource.QuotaPrefixListEntries)
	if size < 1 || size > int64(most) {
		return nil, api.Errorf("InvalidParameterValue", "MaxEntries must be between 1 and %d.", most)
	}
	tags, err := newTags(in.TagSpecifications, resource.KindPrefixList)
	if err != nil {
		return nil, err
	}
	input := *in
	input.ClientToken = nil
	token, err := newClientToken("CreateManagedPrefixList", in.ClientToken, input)
	if err != nil {
		return nil, err
	}
	id, err := token.seen(tx)
	if err != nil {
		return nil, err
	}
	p, ok := state.Get[*resource.PrefixList](tx, id)
	if !ok {
		if err := limitPrefixLists(tx); err != nil {
			return nil, err
		}
		p = &resource.PrefixList{ID: resource.PrefixListID(tx.NewID("pl")), Name: *in.PrefixListName, MaxEntries: int(size), Version: 1, IPv6: *in.AddressFamily == familyIPv6, Tags: tags}
		if p.Entries, err = addEntries(p, in.Entries); err != nil {
			return nil, err
		}
		tx.Put(p)
		token.made(tx, string(p.ID))
	}
	out := managedListOutput(tx, p)
	out.State = new("create-in-progress")
	return &CreateManagedPrefixListOutput{PrefixList: &out}, nil
}

func checkListName(name *string) error {
	if !given(name) {
		return missing("prefixListName")
	}
	if strings.HasPrefix(*name, "com.amazonaws") || len(*name) > 255 {
		return api.Errorf("InvalidParameterValue", "The prefix list name '%s' is invalid. Names have up to 255 characters and cannot start with com.amazonaws.", *name)
	}
	return nil
}

// The address families of prefix lists.
const (
	familyIPv4 = "IPv4"
	familyIPv6 = "IPv6"
)

// entryBlock reads a block of the list's family.
func entryBlock(p *resource.PrefixList, text *string) (netip.Prefix, error) {
	if p.IPv6 && given(text) {
		return parseIPv6CIDR("cidr", *text)
	}
	return parseCIDR("cidr", text)
}

// addEntries returns a list's entries with others added. A block that is there gets the new description.
func addEntries(p *resource.PrefixList, added []AddPrefixListEntry) ([]resource.PrefixListEntry, error) {
	out := slices.Clone(p.Entries)
	seen := map[string]bool{}
	for _, a := range added {
		block, err := entryBlock(p, a.Cidr)
		if err != nil {
			return nil, err
		}
		if seen[block.String()] {
			return nil, api.Errorf("InvalidParameterValue", "The request contains the duplicate entry %s.", block)
		}
		seen[block.String()] = true
		e := resource.PrefixListEntry{CIDR: block, Description: value(a.Description)}
		if at := slices.IndexFunc(out, func(o resource.PrefixListEntry) bool { return o.CIDR == block }); at >= 0 {
			out[at] = e
		} else {
			out = append(out, e)
		}
	}
	if len(out) > p.MaxEntries {
		return nil, api.Errorf("PrefixListMaxEntriesExceeded", "You've reached the maximum number of entries for the prefix list.")
	}
	return out, nil
}

func removeEntries(p *resource.PrefixList, removed []RemovePrefixListEntry) ([]resource.PrefixListEntry, error) {
	out := slices.Clone(p.Entries)
	for _, r := range removed {
		block, err := entryBlock(p, r.Cidr)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(out, func(o resource.PrefixListEntry) bool { return o.CIDR == block })
		if at < 0 {
			return nil, api.Errorf("InvalidParameterValue", "The prefix list does not contain the entry %s.", block)
		}
		out = slices.Delete(out, at, at+1)
	}
	return out, nil
}

func customerList(r state.Reader, id *string) (*resource.PrefixList, error) {
	p, err := find[*resource.PrefixList](r, nounPrefixList, "prefixListId", id)
	if err == nil && p.AWSManaged {
		err = api.Errorf("UnauthorizedOperation", "You are not authorized to perform this operation. The prefix list %s is managed by AWS.", p.ID).WithStatus(403)
	}
	return p, err
}

func (s *ec2) modifyManagedPrefixList(tx *state.Tx, _ *api.Call, in *ModifyManagedPrefixListInput) (*ModifyManagedPrefixListOutput, error) {
	old, err := customerList(tx, in.PrefixListId)
	if err != nil {
		return nil, err
	}
	p := *old
	entries := len(in.AddEntries) > 0 || len(in.RemoveEntries) > 0
	if entries && in.MaxEntries != nil {
		return nil, api.Errorf("InvalidParameterCombination", "You cannot modify the entries of a prefix list and modify the size of a prefix list at the same time.")
	}
	if in.CurrentVersion != nil && *in.CurrentVersion != p.Version {
		return nil, api.Errorf("PrefixListVersionMismatch", "The prefix list has the incorrect version number")
	}
	if given(in.PrefixListName) {
		if err := checkListName(in.PrefixListName); err != nil {
			return nil, err
		}
		p.Name = *in.PrefixListName
	}
	if in.MaxEntries != nil {
		most := tx.Quota(resource.QuotaPrefixListEntries)
		if *in.MaxEntries < int64(max(1, len(p.Entries))) || *in.MaxEntries > int64(most) {
			return nil, api.Errorf("InvalidParameterValue", "MaxEntries must be between %d and %d.", max(1, len(p.Entries)), most)
		}
		p.MaxEntries = int(*in.MaxEntries)
	}
	if entries {
		if in.CurrentVersion == nil {
			return nil, missing("currentVersion")
		}
		if p.Entries, err = removeEntries(&p, in.RemoveEntries); err != nil {
			return nil, err
		}
		if p.Entries, err = addEntries(&p, in.AddEntries); err != nil {
			return nil, err
		}
		p.Earlier = remember(tx, old)
		p.Version++
	}
	tx.Put(&p)
	if err := checkListUsers(tx, p.ID); err != nil {
		return nil, err
	}
	out := managedListOutput(tx, &p)
	out.State = new("modify-in-progress")
	return &ModifyManagedPrefixListOutput{PrefixList: &out}, nil
}

// checkListUsers refuses a list that has become too big for a group or a route table that names it.
func checkListUsers(r state.Reader, id resource.PrefixListID) error {
	for _, g := range state.Select(r, func(g *resource.SecurityGroup) bool { return groupNames(g, id) }) {
		if err := checkRuleCount(r, g); err != nil {
			return err
		}
	}
	for _, t := range state.Select(r, func(t *resource.RouteTable) bool { return tableNames(t, id) }) {
		if err := checkRouteCount(r, t); err != nil {
			return err
		}
	}
	return nil
}

func groupNames(g *resource.SecurityGroup, id resource.PrefixListID) bool {
	return slices.ContainsFunc(g.Rules, func(r resource.SecurityGroupRule) bool { return r.PrefixListID == id })
}

func (s *ec2) deleteManagedPrefixList(tx *state.Tx, _ *api.Call, in *DeleteManagedPrefixListInput) (*DeleteManagedPrefixListOutput, error) {
	p, err := customerList(tx, in.PrefixListId)
	if err != nil {
		return nil, err
	}
	if exists(tx, func(t *resource.RouteTable) bool { return tableNames(t, p.ID) }) || exists(tx, func(g *resource.SecurityGroup) bool { return groupNames(g, p.ID) }) {
		return nil, api.Errorf("DependencyViolation", "The prefix list '%s' has dependencies and cannot be deleted.", p.ID)
	}
	out := managedListOutput(tx, p)
	out.State = new("delete-in-progress")
	forgetTokens(tx, string(p.ID))
	tx.Delete(p)
	return &DeleteManagedPrefixListOutput{PrefixList: &out}, nil
}

func (s *ec2) describeManagedPrefixLists(v *state.View, _ *api.Call, in *DescribeManagedPrefixListsInput) (*DescribeManagedPrefixListsOutput, error) {
	found, err := named[*resource.PrefixList](v, nounPrefixList, in.PrefixListIds)
	if err != nil {
		return nil, err
	}
	var all []ManagedPrefixList
	for _, p := range found {
		all = append(all, managedListOutput(v, p))
	}
	l := listing[ManagedPrefixList]{
		pages: smallPages(),
		key:   func(p ManagedPrefixList) string { return *p.PrefixListId },
		tags:  func(p ManagedPrefixList) []Tag { return p.Tags },
		fields: fields[ManagedPrefixList]{
			"owner-id":         func(p ManagedPrefixList) []string { return text(p.OwnerId) },
			"prefix-list-id":   func(p ManagedPrefixList) []string { return text(p.PrefixListId) },
			"prefix-list-name": func(p ManagedPrefixList) []string { return text(p.PrefixListName) },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribeManagedPrefixListsOutput{PrefixLists: page, NextToken: next}, nil
}

func (s *ec2) getManagedPrefixListEntries(v *state.View, _ *api.Call, in *GetManagedPrefixListEntriesInput) (*GetManagedPrefixListEntriesOutput, error) {
	p, err := find[*resource.PrefixList](v, nounPrefixList, "prefixListId", in.PrefixListId)
	if err != nil {
		return nil, err
	}
	entries := p.Entries
	if in.TargetVersion != nil {
		if entries, err = entriesAt(p, *in.TargetVersion); err != nil {
			return nil, err
		}
	}
	var all []PrefixListEntry
	for _, e := range entries {
		all = append(all, PrefixListEntry{Cidr: new(e.CIDR.String()), Description: new(e.Description)})
	}
	l := listing[PrefixListEntry]{pages: smallPages(), key: func(e PrefixListEntry) string { return *e.Cidr }}
	page, next, err := l.answer(all, nil, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &GetManagedPrefixListEntriesOutput{Entries: page, NextToken: next}, nil
}

// describePrefixLists is the older call, which shows the lists of the services with gateway endpoints only.
func (s *ec2) describePrefixLists(v *state.View, _ *api.Call, in *DescribePrefixListsInput) (*DescribePrefixListsOutput, error) {
	found, err := named[*resource.PrefixList](v, nounPrefixList, in.PrefixListIds)
	if err != nil {
		return nil, err
	}
	var all []PrefixList
	for _, p := range found {
		if !p.AWSManaged {
			continue
		}
		out := PrefixList{Cidrs: []string{}, PrefixListId: new(string(p.ID)), PrefixListName: new(p.Name)}
		for _, e := range p.Entries {
			out.Cidrs = append(out.Cidrs, e.CIDR.String())
		}
		all = append(all, out)
	}
	l := listing[PrefixList]{
		key: func(p PrefixList) string { return *p.PrefixListId },
		fields: fields[PrefixList]{
			"prefix-list-id":   func(p PrefixList) []string { return text(p.PrefixListId) },
			"prefix-list-name": func(p PrefixList) []string { return text(p.PrefixListName) },
		},
	}
	page, next, err := l.answer(all, in.Filters, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &DescribePrefixListsOutput{PrefixLists: page, NextToken: next}, nil
}

func managedListOutput(r state.Reader, p *resource.PrefixList) ManagedPrefixList {
	out := ManagedPrefixList{
		AddressFamily:  new(familyIPv4),
		MaxEntries:     new(int64(p.MaxEntries)),
		OwnerId:        new(r.Account()),
		PrefixListArn:  new(arn(r, "prefix-list", string(p.ID))),
		PrefixListId:   new(string(p.ID)),
		PrefixListName: new(p.Name),
		State:          new("create-complete"),
		Tags:           tagSet(p.Tags),
		Version:        new(p.Version),
	}
	if p.IPv6 {
		out.AddressFamily = new(familyIPv6)
	}
	if p.Version > 1 {
		out.State = new("modify-complete")
	}
	if p.AWSManaged {
		out.OwnerId = new("AWS")
		out.PrefixListArn = new("arn:aws:ec2:" + r.Region() + ":aws:prefix-list/" + string(p.ID))
		out.MaxEntries, out.Version = nil, nil
	}
	return out
}
