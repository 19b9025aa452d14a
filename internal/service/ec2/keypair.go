package ec2

import (
	"crypto"
	"crypto/ed25519"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service"
	"github.com/culvert-cloud/culvert/internal/state"
)

const (
	keyRSA     = "rsa"
	keyEd25519 = "ed25519"
	maxKeyName = 255
	maxKeySize = 16 << 10 // of a public key's text
)

func (s *ec2) keyPairOperations() []service.Operation {
	return []service.Operation{
		service.Update("CreateKeyPair", s.createKeyPair, on(func(in *CreateKeyPairInput) refs { return refs{{"key-pair", in.KeyName}} })),
		service.Update("ImportKeyPair", s.importKeyPair, on(func(in *ImportKeyPairInput) refs { return refs{{"key-pair", in.KeyName}} })),
		service.View("DescribeKeyPairs", s.describeKeyPairs, service.OnAny()),
		service.Update("DeleteKeyPair", s.deleteKeyPair, on(func(in *DeleteKeyPairInput) refs { return refs{{"key-pair", in.KeyName}} })),
	}
}

func keyPairNamed(r state.Reader, name string) (*resource.KeyPair, bool) {
	found := state.Select(r, func(k *resource.KeyPair) bool { return k.Name == name })
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
}

func newKeyPair(tx *state.Tx, name *string, tags []TagSpecification) (*resource.KeyPair, error) {
	n := value(name)
	switch {
	case strings.TrimSpace(n) == "":
		return nil, missing("KeyName")
	case len(n) > maxKeyName || strings.ContainsFunc(n, func(r rune) bool { return r < 0x20 || r > 0x7e }):
		return nil, api.Errorf("InvalidParameterValue", "Value (%s) for parameter KeyName is invalid. It must be up to %d ASCII characters.", n, maxKeyName)
	}
	if _, ok := keyPairNamed(tx, n); ok {
		return nil, api.Errorf("InvalidKeyPair.Duplicate", "The keypair already exists")
	}
	t, err := newTags(tags, resource.KindKeyPair)
	if err != nil {
		return nil, err
	}
	return &resource.KeyPair{ID: resource.KeyPairID(tx.NewID("key")), Name: n, CreateTime: tx.Now(), Tags: t}, nil
}

func (s *ec2) createKeyPair(tx *state.Tx, _ *api.Call, in *CreateKeyPairInput) (*CreateKeyPairOutput, error) {
	if given(in.KeyFormat) && *in.KeyFormat != "pem" {
		return nil, unsupported("Private keys come as PEM in this region.")
	}
	k, err := newKeyPair(tx, in.KeyName, in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	var material []byte
	switch value(in.KeyType) {
	case "", keyRSA:
		k.Type = keyRSA
		material, err = makeRSA(k)
	case keyEd25519:
		k.Type = keyEd25519
		material, err = makeEd25519(k)
	default:
		return nil, invalidValue("KeyType", *in.KeyType)
	}
	if err != nil {
		return nil, err
	}
	tx.Put(k)
	return &CreateKeyPairOutput{
		KeyFingerprint: new(k.Fingerprint), KeyMaterial: new(string(material)), KeyName: new(k.Name), KeyPairId: new(string(k.ID)), Tags: tagSet(k.Tags),
	}, nil
}

// makeRSA makes a key and returns its private half. Its fingerprint is AWS's for keys that AWS makes: SHA-1 over the
// private key.
func makeRSA(k *resource.KeyPair) ([]byte, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make an RSA key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("encode an RSA key: %w", err)
	}
	sum := sha1.Sum(der)
	k.Fingerprint = colons(sum[:])
	if err := setPublic(k, private.Public()); err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}), nil
}

func makeEd25519(k *resource.KeyPair) ([]byte, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make an Ed25519 key: %w", err)
	}
	if err := setPublic(k, public); err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return nil, fmt.Errorf("encode an Ed25519 key: %w", err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("encode an Ed25519 key: %w", err)
	}
	k.Fingerprint = keyDigest(key)
	return pem.EncodeToMemory(block), nil
}

func setPublic(k *resource.KeyPair, public crypto.PublicKey) error {
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return fmt.Errorf("encode a public key: %w", err)
	}
	k.PublicKey = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " " + k.Name
	return nil
}

// keyDigest is the fingerprint of an Ed25519 key: SHA-256 over its public half.
func keyDigest(key ssh.PublicKey) string {
	sum := sha256.Sum256(key.Marshal())
	return base64.StdEncoding.EncodeToString(sum[:])
}

func colons(b []byte) string {
	parts := make([]string, len(b))
	for i, c := range b {
		parts[i] = hex.EncodeToString([]byte{c})
	}
	return strings.Join(parts, ":")
}

func (s *ec2) importKeyPair(tx *state.Tx, _ *api.Call, in *ImportKeyPairInput) (*ImportKeyPairOutput, error) {
	k, err := newKeyPair(tx, in.KeyName, in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	if len(in.PublicKeyMaterial) > maxKeySize {
		return nil, api.Errorf("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(in.PublicKeyMaterial)
	if err != nil {
		return nil, api.Errorf("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
	}
	switch key.Type() {
	case ssh.KeyAlgoRSA:
		k.Type = keyRSA
		der, err := x509.MarshalPKIXPublicKey(key.(ssh.CryptoPublicKey).CryptoPublicKey())
		if err != nil {
			return nil, api.Errorf("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
		}
		sum := md5.Sum(der) // AWS's fingerprint of imported keys; it protects nothing
		k.Fingerprint = colons(sum[:])
	case ssh.KeyAlgoED25519:
		k.Type, k.Fingerprint = keyEd25519, keyDigest(key)
	default:
		return nil, api.Errorf("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
	}
	k.PublicKey = strings.TrimSpace(string(in.PublicKeyMaterial))
	tx.Put(k)
	return &ImportKeyPairOutput{KeyFingerprint: new(k.Fingerprint), KeyName: new(k.Name), KeyPairId: new(string(k.ID)), Tags: tagSet(k.Tags)}, nil
}

func (s *ec2) describeKeyPairs(v *state.View, _ *api.Call, in *DescribeKeyPairsInput) (*DescribeKeyPairsOutput, error) {
	for _, name := range in.KeyNames {
		if _, ok := keyPairNamed(v, name); !ok {
			return nil, api.Errorf("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", name)
		}
	}
	found, err := named[*resource.KeyPair](v, nounKeyPair, in.KeyPairIds)
	if err != nil {
		return nil, err
	}
	all := []KeyPairInfo{}
	for _, k := range found {
		if len(in.KeyNames) > 0 && !slices.Contains(in.KeyNames, k.Name) {
			continue
		}
		out := KeyPairInfo{
			CreateTime: timestamp(k.CreateTime), KeyFingerprint: new(k.Fingerprint), KeyName: new(k.Name), KeyPairId: new(string(k.ID)),
			KeyType: new(k.Type), Tags: tagSet(k.Tags),
		}
		if value(in.IncludePublicKey) {
			out.PublicKey = new(k.PublicKey)
		}
		all = append(all, out)
	}
	l := listing[KeyPairInfo]{
		key:  func(k KeyPairInfo) string { return *k.KeyPairId },
		tags: func(k KeyPairInfo) []Tag { return k.Tags },
		fields: fields[KeyPairInfo]{
			"fingerprint": func(k KeyPairInfo) []string { return text(k.KeyFingerprint) },
			"key-name":    func(k KeyPairInfo) []string { return text(k.KeyName) },
			"key-pair-id": func(k KeyPairInfo) []string { return text(k.KeyPairId) },
		},
	}
	page, _, err := l.answer(all, in.Filters, nil, nil)
	if err != nil {
		return nil, err
	}
	return &DescribeKeyPairsOutput{KeyPairs: page}, nil
}

// deleteKeyPair deletes a key pair; one that is not there is as good as deleted, as on AWS.
func (s *ec2) deleteKeyPair(tx *state.Tx, _ *api.Call, in *DeleteKeyPairInput) (*DeleteKeyPairOutput, error) {
	out := &DeleteKeyPairOutput{Return: new(true)}
	var k *resource.KeyPair
	var ok bool
	switch {
	case given(in.KeyPairId):
		if err := nounKeyPair.Check(*in.KeyPairId); err != nil {
			return nil, err
		}
		k, ok = state.Get[*resource.KeyPair](tx, *in.KeyPairId)
	case given(in.KeyName):
		k, ok = keyPairNamed(tx, *in.KeyName)
	default:
		return nil, missing("KeyName")
	}
	if ok {
		out.KeyPairId = new(string(k.ID))
		tx.Delete(k)
	}
	return out, nil
}
