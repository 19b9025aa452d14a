package iam

import (
	"sync"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

const statusActive, statusInactive = "Active", "Inactive"

func keysOf(r state.Reader, user string) []*resource.AccessKey {
	return state.Select(r, func(k *resource.AccessKey) bool { return k.User == user })
}

// mustKey finds a key of a user, who is who asks if the request names nobody.
func mustKey(r state.Reader, user *string, id string) (*resource.AccessKey, error) {
	u, err := mustUser(r, user)
	if err != nil {
		return nil, err
	}
	k, ok := state.Get[*resource.AccessKey](r, id)
	if !ok || k.User != u.Name {
		return nil, noSuch("The Access Key with id %s cannot be found.", id)
	}
	return k, nil
}

func statusOf(k *resource.AccessKey) *string {
	s := statusActive
	if k.Inactive {
		s = statusInactive
	}
	return &s
}

// createAccessKey is the only answer that has the secret.
func (s *Service) createAccessKey(tx *state.Tx, _ *api.Call, in *CreateAccessKeyInput) (*CreateAccessKeyOutput, error) {
	u, err := mustUser(tx, in.UserName)
	if err != nil {
		return nil, err
	}
	if len(keysOf(tx, u.Name)) >= maxAccessKeys {
		return nil, limitExceeded("Cannot exceed quota for AccessKeysPerUser: %d", maxAccessKeys)
	}
	id, secret := s.config.NewAccessKey()
	k := &resource.AccessKey{ID: id, User: u.Name, CreateDate: tx.Now()}
	tx.Put(k)
	return &CreateAccessKeyOutput{AccessKey: &AccessKey{
		AccessKeyId: &k.ID, SecretAccessKey: &secret, Status: statusOf(k), UserName: &u.Name, CreateDate: &k.CreateDate,
	}}, nil
}

func (s *Service) updateAccessKey(tx *state.Tx, _ *api.Call, in *UpdateAccessKeyInput) (*UpdateAccessKeyOutput, error) {
	k, err := mustKey(tx, in.UserName, *in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	c := *k
	c.Inactive = *in.Status == statusInactive
	tx.Put(&c)
	return &UpdateAccessKeyOutput{}, nil
}

func (s *Service) deleteAccessKey(tx *state.Tx, _ *api.Call, in *DeleteAccessKeyInput) (*DeleteAccessKeyOutput, error) {
	k, err := mustKey(tx, in.UserName, *in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	tx.Delete(k)
	return &DeleteAccessKeyOutput{}, nil
}

func (s *Service) listAccessKeys(v *state.View, _ *api.Call, in *ListAccessKeysInput) (*ListAccessKeysOutput, error) {
	u, err := mustUser(v, in.UserName)
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(keysOf(v, u.Name), (*resource.AccessKey).Key, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &ListAccessKeysOutput{IsTruncated: truncated(next), Marker: next, AccessKeyMetadata: []AccessKeyMetadata{}}
	for _, k := range page {
		out.AccessKeyMetadata = append(out.AccessKeyMetadata, AccessKeyMetadata{
			AccessKeyId: &k.ID, CreateDate: &k.CreateDate, Status: statusOf(k), UserName: &k.User,
		})
	}
	return out, nil
}

// lastUses remembers when keys were used, since the region started.
type lastUses struct {
	mu   sync.Mutex
	uses map[string]use // by access key id; guarded by mu
}

type use struct {
	at              time.Time
	region, service string
}

// maxUses bounds what is remembered; there are two keys for each of at most 5,000 users.
const maxUses = maxUsers * maxAccessKeys

// Used notes that a user's key signed a call.
func (s *Service) Used(accessKeyID, region, service string, at time.Time) {
	s.lastUses.mu.Lock()
	defer s.lastUses.mu.Unlock()
	if len(s.lastUses.uses) >= maxUses { // keys that are gone
		clear(s.lastUses.uses)
	}
	s.lastUses.uses[accessKeyID] = use{at.UTC().Truncate(time.Minute), region, service}
}

func (s *Service) getAccessKeyLastUsed(v *state.View, _ *api.Call, in *GetAccessKeyLastUsedInput) (*GetAccessKeyLastUsedOutput, error) {
	k, ok := state.Get[*resource.AccessKey](v, *in.AccessKeyId)
	if !ok {
		return nil, noSuch("The Access Key with id %s cannot be found.", *in.AccessKeyId)
	}
	s.lastUses.mu.Lock()
	u, used := s.lastUses.uses[k.ID]
	s.lastUses.mu.Unlock()
	last := &AccessKeyLastUsed{}
	if !used {
		u.region, u.service = "N/A", "N/A"
	} else {
		last.LastUsedDate = &u.at
	}
	last.Region, last.ServiceName = &u.region, &u.service
	return &GetAccessKeyLastUsedOutput{UserName: &k.User, AccessKeyLastUsed: last}, nil
}
