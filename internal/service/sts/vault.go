package sts

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
)

// The reasons why a key is not good.
var (
	ErrUnknownKey   = errors.New("the access key is unknown")
	ErrInvalidToken = errors.New("the session token is not that of the access key")
	ErrExpiredToken = errors.New("the session token has expired")
)

// KeySize is the size of the region's key in bytes.
const KeySize = 32

// VaultConfig says what a vault is made of.
type VaultConfig struct {
	// Key is the region's secret, KeySize bytes. Sessions are good as long as it stays the same, and nowhere else.
	Key     []byte
	Account string
	// Operator is the key of the account's root.
	Operator AccessKey
	// Role finds a role as it is now. The sessions of a role end when it is deleted.
	Role func(name string) (*resource.Role, bool)
	// User finds whose a user's access key is now; false: there is no such key, or it is not active. Nil: there are none.
	User func(accessKeyID string) (*resource.User, bool)
	Now  func() time.Time // nil: time.Now
}

// AccessKey is a key that is good for ever.
type AccessKey struct{ ID, Secret string }

// SessionKey is the key of a session.
type SessionKey struct {
	AccessKeyID     string // ASIA...
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

// Credential is a secret and whose it is.
type Credential struct {
	Secret string
	Caller api.Caller
}

// Vault makes and knows access keys.
type Vault struct {
	config  VaultConfig
	secrets []byte // makes secrets out of key ids
	seal    cipher.AEAD
	notes   cipher.AEAD // of authorization failure messages
}

// claims is what is sealed in a session token.
type claims struct {
	Key     string `json:"k"`
	Role    string `json:"r"` // name
	ARN     string `json:"a"`
	ID      string `json:"i"`
	Session string `json:"s"`
	Expires int64  `json:"e"` // Unix seconds
	Policy  string `json:"p,omitempty"`

	PolicyARNs []string          `json:"pa,omitempty"`
	Tags       map[string]string `json:"t,omitempty"`
	Transitive []string          `json:"tt,omitempty"`
	Source     string            `json:"si,omitempty"`
	Keys       map[string]string `json:"ck,omitempty"`
	Issued     int64             `json:"n,omitempty"` // Unix seconds
	Behind     string            `json:"b,omitempty"` // the key of the user or root who asked for a token; then there is no role
}

// Session is what a session of a role may be beside its role's.
type Session struct {
	Name           string
	TTL            time.Duration
	Policy         string // empty: none
	PolicyARNs     []string
	Tags           map[string]string
	TransitiveTags []string
	SourceIdentity string
	// Keys are condition keys that all calls of the session have, lower case: what a service knows of whom it made the
	// session for.
	Keys map[string]string
}

// NewVault makes a vault.
func NewVault(c VaultConfig) (*Vault, error) {
	if len(c.Key) != KeySize {
		return nil, fmt.Errorf("make vault: the key has %d bytes, not %d", len(c.Key), KeySize)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	v := &Vault{config: c}
	var err error
	if v.secrets, err = hkdf.Key(sha256.New, c.Key, nil, "secret access keys", KeySize); err != nil {
		return nil, fmt.Errorf("make vault: %w", err)
	}
	if v.seal, err = newSeal(c.Key, "session tokens"); err != nil {
		return nil, fmt.Errorf("make vault: %w", err)
	}
	if v.notes, err = newSeal(c.Key, "authorization failure messages"); err != nil {
		return nil, fmt.Errorf("make vault: %w", err)
	}
	return v, nil
}

func newSeal(key []byte, purpose string) (cipher.AEAD, error) {
	sealing, err := hkdf.Key(sha256.New, key, nil, purpose, KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// SealMessage makes an authorization failure message out of what it says: only the account can read it.
func (v *Vault) SealMessage(text []byte) string {
	return base64.RawURLEncoding.EncodeToString(v.notes.Seal(nil, nil, text, []byte(v.config.Account)))
}

// OpenMessage is the reverse; false: the message is not one of this region.
func (v *Vault) OpenMessage(message string) ([]byte, bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(message)
	if err != nil {
		return nil, false
	}
	text, err := v.notes.Open(nil, nil, sealed, []byte(v.config.Account))
	return text, err == nil
}

// Mint makes a session of a role. Whether the session may be is for the caller to decide.
func (v *Vault) Mint(role *resource.Role, sessionName string, ttl time.Duration, sessionPolicy string) (SessionKey, error) {
	return v.MintSession(role, Session{Name: sessionName, TTL: ttl, Policy: sessionPolicy})
}

// MintSession makes a session of a role with all that a session can have.
func (v *Vault) MintSession(role *resource.Role, s Session) (SessionKey, error) {
	return v.mint(s.TTL, claims{
		Role: role.Name, ARN: role.ARN, ID: role.ID, Session: s.Name, Policy: s.Policy, PolicyARNs: s.PolicyARNs,
		Tags: s.Tags, Transitive: s.TransitiveTags, Source: s.SourceIdentity, Keys: s.Keys,
	})
}

// MintToken makes a session of a user or the root, who has a key that is good for ever. It ends with that key.
func (v *Vault) MintToken(accessKeyID string, ttl time.Duration) (SessionKey, error) {
	return v.mint(ttl, claims{Behind: accessKeyID})
}

func (v *Vault) mint(ttl time.Duration, c claims) (SessionKey, error) {
	now := v.config.Now()
	expires := now.Add(ttl).UTC().Truncate(time.Second)
	id := newKeyID(keyPrefix)
	c.Key, c.Issued, c.Expires = id, now.Unix(), expires.Unix()
	text, err := json.Marshal(c)
	if err != nil {
		return SessionKey{}, fmt.Errorf("make session: %w", err)
	}
	sealed := v.seal.Seal(nil, nil, text, v.bound(id))
	return SessionKey{
		AccessKeyID: id, SecretAccessKey: v.secret(id), SessionToken: base64.StdEncoding.EncodeToString(sealed), Expiration: expires,
	}, nil
}

// The ids of keys of sessions, and those of users.
const (
	keyPrefix     = "ASIA"
	userKeyPrefix = "AKIA"
)

func newKeyID(prefix string) string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	return prefix + base32.StdEncoding.EncodeToString(b[:])
}

// NewUserKey makes a key for a user. It is good once VaultConfig.User knows whose it is.
func (v *Vault) NewUserKey() (id, secret string) {
	id = newKeyID(userKeyPrefix)
	return id, v.secret(id)
}

func (v *Vault) userCredential(accessKeyID, sessionToken string) (Credential, error) {
	if v.config.User == nil {
		return Credential{}, ErrUnknownKey
	}
	u, ok := v.config.User(accessKeyID)
	if !ok {
		return Credential{}, ErrUnknownKey
	}
	if sessionToken != "" {
		return Credential{}, ErrInvalidToken
	}
	return Credential{Secret: v.secret(accessKeyID), Caller: api.Caller{
		Type: api.User, Account: v.config.Account, ARN: u.ARN, UserName: u.Name, UserID: u.ID, AccessKeyID: accessKeyID,
	}}, nil
}

// secret is 40 characters, as AWS's are.
func (v *Vault) secret(id string) string {
	h := hmac.New(sha256.New, v.secrets)
	h.Write([]byte(id))
	return base64.StdEncoding.EncodeToString(h.Sum(nil)[:30])
}

// bound is what a token is good for beside what it says: nothing of another account opens.
func (v *Vault) bound(id string) []byte { return []byte(v.config.Account + "/" + id) }

// Lookup finds the secret of an access key and who has it. Its errors are ErrUnknownKey, ErrInvalidToken and
// ErrExpiredToken.
func (v *Vault) Lookup(accessKeyID, sessionToken string, now time.Time) (Credential, error) {
	if accessKeyID == v.config.Operator.ID {
		if sessionToken != "" {
			return Credential{}, ErrInvalidToken
		}
		return Credential{Secret: v.config.Operator.Secret, Caller: api.Caller{
			Type: api.Root, Account: v.config.Account, ARN: "arn:aws:iam::" + v.config.Account + ":root",
			UserID: v.config.Account, AccessKeyID: accessKeyID,
		}}, nil
	}
	if strings.HasPrefix(accessKeyID, userKeyPrefix) {
		return v.userCredential(accessKeyID, sessionToken)
	}
	if !strings.HasPrefix(accessKeyID, keyPrefix) || sessionToken == "" {
		return Credential{}, ErrUnknownKey
	}
	c, err := v.open(accessKeyID, sessionToken)
	if err != nil {
		return Credential{}, err
	}
	if now.Unix() >= c.Expires {
		return Credential{}, ErrExpiredToken
	}
	if c.Behind != "" {
		return v.tokenCredential(c)
	}
	role, ok := v.config.Role(c.Role)
	if !ok || role.ID != c.ID {
		return Credential{}, ErrInvalidToken
	}
	return Credential{Secret: v.secret(accessKeyID), Caller: v.caller(c)}, nil
}

// tokenCredential is that of who asked for the token, as he is now.
func (v *Vault) tokenCredential(c *claims) (Credential, error) {
	if strings.HasPrefix(c.Behind, keyPrefix) {
		return Credential{}, ErrInvalidToken // no token is behind a token
	}
	known, err := v.Lookup(c.Behind, "", v.config.Now())
	if err != nil {
		return Credential{}, ErrInvalidToken
	}
	known.Secret, known.Caller.AccessKeyID, known.Caller.Temporary = v.secret(c.Key), c.Key, true
	known.Caller.IssuedAt = time.Unix(c.Issued, 0)
	return known, nil
}

func (v *Vault) open(accessKeyID, sessionToken string) (*claims, error) {
	sealed, err := base64.StdEncoding.DecodeString(sessionToken)
	if err != nil {
		return nil, ErrInvalidToken
	}
	text, err := v.seal.Open(nil, nil, sealed, v.bound(accessKeyID))
	if err != nil {
		return nil, ErrInvalidToken
	}
	var c claims
	if err := json.Unmarshal(text, &c); err != nil || c.Key != accessKeyID {
		return nil, ErrInvalidToken
	}
	return &c, nil
}

func (v *Vault) caller(c *claims) api.Caller {
	return api.Caller{
		Type:          api.AssumedRole,
		Account:       v.config.Account,
		ARN:           sessionARN(v.config.Account, c.Role, c.Session),
		RoleARN:       c.ARN,
		RoleName:      c.Role,
		SessionName:   c.Session,
		UserID:        c.ID + ":" + c.Session,
		AccessKeyID:   c.Key,
		SessionPolicy: c.Policy,

		SessionPolicyARNs: c.PolicyARNs, SessionTags: c.Tags, TransitiveTags: c.Transitive, SourceIdentity: c.Source,
		SessionKeys: c.Keys, IssuedAt: time.Unix(c.Issued, 0),
	}
}

// sessionARN is without the role's path.
func sessionARN(account, role, session string) string {
	return "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + session
}
