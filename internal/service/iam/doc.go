// Package iam serves roles and managed policies, and answers who may do what.
//
// The operations only change the state; the answers ([Service.Decide], [Service.CanAssume]) only read it, so a
// change counts from its commit on. There are no users and groups: the operator is the account's root, and
// everybody else is a session of a role. It never signs or checks a signature: sessions are made by service/sts.
// How policies are read and combined: package api/policy.
package iam
