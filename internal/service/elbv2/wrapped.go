package elbv2

// These answers say nothing and have a result all the same; see the awsQuery codec of package wire.

// Wrapped marks the answer.
func (*AddTagsOutput) Wrapped() {}

// Wrapped marks the answer.
func (*RemoveTagsOutput) Wrapped() {}

// Wrapped marks the answer.
func (*DeleteListenerOutput) Wrapped() {}

// Wrapped marks the answer.
func (*DeleteLoadBalancerOutput) Wrapped() {}

// Wrapped marks the answer.
func (*DeleteTargetGroupOutput) Wrapped() {}

// Wrapped marks the answer.
func (*RegisterTargetsOutput) Wrapped() {}

// Wrapped marks the answer.
func (*DeregisterTargetsOutput) Wrapped() {}
