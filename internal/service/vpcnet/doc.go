// Package vpcnet holds what several services do to a VPC: finding subnets and groups with AWS's errors, and
// making and removing network interfaces.
//
// Everything is a function of a transaction or a view. The package is no service, knows no protocol and never
// reaches the kernel: an interface is a row of the desired state, which the data plane makes real. Errors that a
// caller may see are *api.Error with EC2's codes and texts; a service with its own wording wraps them.
//
// The operations on these resources are in package service/ec2; the Lambda service uses [LambdaInterfaces].
package vpcnet
