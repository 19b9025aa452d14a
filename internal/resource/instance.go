package resource

import "time"

// InstanceID is an instance's id: i-.
type InstanceID string

// KeyPairID is a key pair's id: key-.
type KeyPairID string

// The kinds of resources in this file.
const (
	KindInstance Kind = "instance"
	KindKeyPair  Kind = "key-pair"
)

// The states of an instance, as on the wire.
const (
	InstancePending      = "pending"
	InstanceRunning      = "running"
	InstanceStopping     = "stopping"
	InstanceStopped      = "stopped"
	InstanceShuttingDown = "shutting-down"
	InstanceTerminated   = "terminated"
)

// Instance is a machine in a subnet: here, a sandbox on a network interface, or on several (see Attachment).
type Instance struct {
	ID               InstanceID
	ReservationID    string // r-
	LaunchIndex      int
	ImageID          string
	InstanceType     string
	KeyName          string
	State            string // InstancePending ...
	StateReason      string // Client.UserInitiatedShutdown ...; empty: none
	VPCID            VPCID
	SubnetID         SubnetID
	AvailabilityZone string
	InterfaceID      NetworkInterfaceID // the primary interface; empty once terminated
	UserData         []byte             // as given, decoded
	Booted           bool               // the user data has had its run
	Boots            int                // counts starts and reboots: another number means that the sandbox must begin anew
	ProfileARN       string             // instance profile; empty: none
	// ProfileAssociationID is iip-assoc-; empty without a profile, and of instances from before there were such ids.
	ProfileAssociationID string
	VolumeID             string // of the root device
	LaunchTime           time.Time
	TerminationTime      time.Time // zero until terminated
	ShutdownBehavior     string    // stop, terminate
	KeepFromStop         bool      // DisableApiStop
	KeepFromTerminate    bool      // DisableApiTermination
	Metadata             MetadataOptions
	Tags                 Tags
	VolumeTags           Tags
}

// MetadataOptions say who may ask the instance metadata service, and how.
type MetadataOptions struct {
	Disabled       bool
	TokensOptional bool // version 1 is answered too
	HopLimit       int
	Tags           bool // the instance's tags can be read
}

func (*Instance) Kind() Kind    { return KindInstance }
func (i *Instance) Key() string { return string(i.ID) }

// Gone reports whether an instance can only still be seen.
func (i *Instance) Gone() bool { return i.State == InstanceTerminated }

// KeyPair is the public half of an SSH key.
type KeyPair struct {
	ID          KeyPairID
	Name        string
	Type        string // rsa, ed25519
	Fingerprint string
	PublicKey   string // as OpenSSH writes it
	CreateTime  time.Time
	Tags        Tags
}

func (*KeyPair) Kind() Kind    { return KindKeyPair }
func (k *KeyPair) Key() string { return string(k.ID) }
