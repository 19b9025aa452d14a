// Package archtest holds the dependency rule of the project, as a test: which package may import which.
//
// Nouns know nobody, pure code knows nouns, services never know machinery, views only read, region knows all.
// ARCHITECTURE.md says why. The package has no code of its own.
package archtest
