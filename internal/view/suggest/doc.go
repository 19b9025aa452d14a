// Package suggest writes a policy that allows what was seen in the log of calls and nothing else, and proves it with
// the evaluator that decides real calls.
//
// It is pure: events in, a document out. It changes no policy; who likes the document puts it where it belongs. What
// it cannot know is what was not called yet. Where the events come from: package calls.
package suggest
