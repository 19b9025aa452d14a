// Package test is the executable specification: scripts that a stranger can read aloud, run against a whole
// region and the real kernel. Each scripts/*.txtar is one promise; verbs_test.go explains the verbs.
package test
