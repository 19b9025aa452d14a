// Package cli is the terminal's face of a region: the commands of the culvert program.
//
// A command speaks HTTP to a running region (package view/inspect answers) and imports nothing of it; the two
// that start one, up and demo, are given to it by cmd/culvert. Commands write results to standard output and
// everything else to standard error, and their exit status is part of their promise.
package cli
