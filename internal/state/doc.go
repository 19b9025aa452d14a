// Package state is the desired state of a region: every resource at one revision.
//
// Reading takes a [View], an immutable snapshot; changing takes a function on a [Tx], which commits as a whole
// or not at all. There is one writer at a time and any number of readers, and a reader never waits. Every
// commit goes to a [Journal] before it becomes visible, so that what was answered is what will be found after
// a restart. Values that went into the state must not be changed any more.
//
// The package knows nouns only: no protocol, no kernel. Bulk bytes (objects, log events, function code) never
// enter it. Who reacts to changes: package reconcile.
package state
