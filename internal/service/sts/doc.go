// Package sts says who a caller is and makes sessions of roles.
//
// Sessions are not stored: all there is to know of one is sealed in its token, so that credentials survive a
// restart and cost nothing. It does not decide who may assume a role (see service/iam, which region passes in) and
// does not check signatures (see api/sigv4, for which region adapts [Vault.Lookup]).
package sts
