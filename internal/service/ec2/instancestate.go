package ec2

import (
	"slices"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/service/vpcnet"
	"github.com/culvert-cloud/culvert/internal/state"
)

// keepTerminated is how long a terminated instance can still be seen.
const keepTerminated = time.Hour

// Why an instance is in the state it is in, in AWS's words.
const (
	reasonUser = "Client.UserInitiatedShutdown"
	reasonSelf = "Client.InstanceInitiatedShutdown"
	reasonOurs = "Server.InternalError"
)

func reasonText(code string) string {
	return map[string]string{
		reasonUser: reasonUser + ": User initiated shutdown",
		reasonSelf: reasonSelf + ": Instance initiated shutdown",
		reasonOurs: reasonOurs + ": Internal error on launch",
	}[code]
}

// stateCode is the number that goes with a state's name.
func stateCode(name string) int64 {
	return map[string]int64{
		resource.InstancePending: 0, resource.InstanceRunning: 16, resource.InstanceShuttingDown: 32,
		resource.InstanceTerminated: 48, resource.InstanceStopping: 64, resource.InstanceStopped: 80,
	}[name]
}

func instanceState(name string) *InstanceState {
	return &InstanceState{Code: new(stateCode(name)), Name: new(name)}
}

// eachInstance changes the named instances, all or none, and tells their states before and after.
func eachInstance(tx *state.Tx, ids []string, change func(*resource.Instance) error) ([]InstanceStateChange, error) {
	if len(ids) == 0 {
		return nil, missing("InstanceId")
	}
	found, err := named[*resource.Instance](tx, nounInstance, ids)
	if err != nil {
		return nil, err
	}
	out := []InstanceStateChange{}
	for _, old := range found {
		i := *old
		if err := change(&i); err != nil {
			return nil, err
		}
		tx.Put(&i)
		out = append(out, InstanceStateChange{
			InstanceId: new(string(i.ID)), CurrentState: instanceState(i.State), PreviousState: instanceState(old.State),
		})
	}
	return out, nil
}

func (s *ec2) terminateInstances(tx *state.Tx, _ *api.Call, in *TerminateInstancesInput) (*TerminateInstancesOutput, error) {
	changes, err := eachInstance(tx, in.InstanceIds, func(i *resource.Instance) error {
		if i.KeepFromTerminate {
			return api.Errorf("OperationNotPermitted", "The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.", i.ID)
		}
		switch i.State {
		case resource.InstanceTerminated, resource.InstanceShuttingDown:
		case resource.InstanceStopped:
			endInstance(tx, i, reasonUser)
		default:
			i.State, i.StateReason = resource.InstanceShuttingDown, reasonUser
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &TerminateInstancesOutput{TerminatingInstances: changes}, nil
}

func (s *ec2) stopInstances(tx *state.Tx, _ *api.Call, in *StopInstancesInput) (*StopInstancesOutput, error) {
	if value(in.Hibernate) {
		return nil, api.Errorf("UnsupportedHibernationConfiguration", "Instances cannot hibernate in this region.")
	}
	changes, err := eachInstance(tx, in.InstanceIds, func(i *resource.Instance) error {
		if i.KeepFromStop {
			return api.Errorf("OperationNotPermitted", "The instance '%s' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.", i.ID)
		}
		switch i.State {
		case resource.InstanceStopped, resource.InstanceStopping:
		case resource.InstanceRunning:
			i.State, i.StateReason = resource.InstanceStopping, reasonUser
		default:
			return incorrectState(i, "stopped")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &StopInstancesOutput{StoppingInstances: changes}, nil
}

func incorrectState(i *resource.Instance, done string) error {
	return api.Errorf("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be %s.", i.ID, done)
}

func (s *ec2) startInstances(tx *state.Tx, _ *api.Call, in *StartInstancesInput) (*StartInstancesOutput, error) {
	changes, err := eachInstance(tx, in.InstanceIds, func(i *resource.Instance) error {
		switch i.State {
		case resource.InstanceRunning, resource.InstancePending:
			return nil
		case resource.InstanceStopped:
		default:
			return incorrectState(i, "started")
		}
		i.State, i.StateReason, i.LaunchTime = resource.InstancePending, "", tx.Now()
		i.Boots++
		return s.publicAgain(tx, i)
	})
	if err != nil {
		return nil, err
	}
	return &StartInstancesOutput{StartingInstances: changes}, nil
}

// publicAgain gives a starting instance a new public address, if its subnet's instances have such and it has none: one with several
// interfaces gets none.
func (s *ec2) publicAgain(tx *state.Tx, i *resource.Instance) error {
	subnet, ok := state.Get[*resource.Subnet](tx, i.SubnetID)
	eni, there := state.Get[*resource.NetworkInterface](tx, i.InterfaceID)
	if !ok || !there || !subnet.MapPublicIPOnLaunch || len(InterfacesOf(tx, i.ID)) > 1 ||
		exists(tx, func(a *resource.Address) bool { return a.NetworkInterfaceID == eni.ID }) {
		return nil
	}
	return s.assignPublic(tx, eni)
}

func (s *ec2) rebootInstances(tx *state.Tx, _ *api.Call, in *RebootInstancesInput) (*RebootInstancesOutput, error) {
	_, err := eachInstance(tx, in.InstanceIds, func(i *resource.Instance) error {
		if i.State != resource.InstanceRunning {
			return incorrectState(i, "rebooted")
		}
		i.Boots++
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &RebootInstancesOutput{}, nil
}

// InstanceStarted is told when an instance's sandbox is up.
func InstanceStarted(tx *state.Tx, id resource.InstanceID) {
	changeInstance(tx, id, func(i *resource.Instance) {
		i.Booted = true
		if i.State == resource.InstancePending {
			i.State = resource.InstanceRunning
		}
	})
}

// InstanceEnded is told when an instance's sandbox is gone: because that was wanted, or by itself.
func InstanceEnded(tx *state.Tx, id resource.InstanceID) {
	changeInstance(tx, id, func(i *resource.Instance) {
		switch i.State {
		case resource.InstanceShuttingDown:
			endInstance(tx, i, i.StateReason)
		case resource.InstanceStopping:
			stopInstance(tx, i, i.StateReason)
		case resource.InstanceRunning, resource.InstancePending:
			if i.ShutdownBehavior == shutdownTerminal {
				endInstance(tx, i, reasonSelf)
			} else {
				stopInstance(tx, i, reasonSelf)
			}
		}
	})
}

// InstanceFailed is told when an instance could not be started.
func InstanceFailed(tx *state.Tx, id resource.InstanceID) {
	changeInstance(tx, id, func(i *resource.Instance) { endInstance(tx, i, reasonOurs) })
}

func changeInstance(tx *state.Tx, id resource.InstanceID, change func(*resource.Instance)) {
	old, ok := state.Get[*resource.Instance](tx, id)
	if !ok || old.Gone() {
		return
	}
	i := *old
	change(&i)
	tx.Put(&i)
}

func stopInstance(tx *state.Tx, i *resource.Instance, reason string) {
	i.State, i.StateReason = resource.InstanceStopped, reason
	for _, a := range state.Select(tx, func(a *resource.Address) bool { return a.AutoAssigned && a.NetworkInterfaceID == i.InterfaceID }) {
		vpcnet.Disassociate(tx, a)
	}
}

// endInstance makes a terminated one of an instance: its interfaces go, or are left to their owner.
func endInstance(tx *state.Tx, i *resource.Instance, reason string) {
	for _, eni := range InterfacesOf(tx, i.ID) {
		if eni.Attachment.DeleteOnTermination {
			vpcnet.DeleteInterface(tx, eni.ID)
			continue
		}
		release(tx, eni)
	}
	i.State, i.StateReason, i.TerminationTime = resource.InstanceTerminated, reason, tx.Now()
	i.InterfaceID, i.UserData = "", nil
}

// forgetOldInstances drops those that were terminated more than an hour ago.
func forgetOldInstances(tx *state.Tx) {
	limit := tx.Now().Add(-keepTerminated)
	var emptied []string
	for _, i := range state.Select(tx, func(i *resource.Instance) bool { return i.Gone() && i.TerminationTime.Before(limit) }) {
		tx.Delete(i)
		emptied = append(emptied, i.ReservationID)
	}
	for _, reservation := range slices.Compact(slices.Sorted(slices.Values(emptied))) {
		if len(instancesOf(tx, reservation)) == 0 {
			forgetTokens(tx, reservation)
		}
	}
}
