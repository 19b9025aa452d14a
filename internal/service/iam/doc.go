// Package iam serves users, groups, roles and policies, and answers who may do what.
//
// The operations only change the state; the answers ([Service.Decide], [Service.CanAssume]) only read it, so a
// change counts from its commit on. The operator is the account's root; everybody else is a user or a session of a
// role. It never signs or checks a signature: keys and sessions are made by service/sts. The simulations answer with
// the decisions that real calls get. How policies are read and combined: package api/policy.
package iam
