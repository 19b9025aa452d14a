package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newStatus(c *client) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how the region is, and what it does not enforce",
		Long:  "Say how the region is, and what it does not enforce. Exit status: 0 well, 1 the network does not match the state, 3 not running.",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s status
			if err := c.call(cmd.Context(), "GET", "status", nil, &s); err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				if err := e.Encode(s); err != nil {
					return err
				}
			} else {
				printStatus(cmd.OutOrStdout(), s)
			}
			if s.NetworkError != "" {
				return Fail()
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printStatus(w io.Writer, s status) {
	mode := "as root"
	if s.Rootless {
		mode = "rootless"
	}
	kept := "in memory only"
	if s.Data != "" {
		kept = "kept in " + s.Data
	}
	fmt.Fprintf(w, "culvert %s: region %s, account %s, on %s\n", s.Version, s.Region, s.Account, s.Endpoint)
	fmt.Fprintf(w, "up for %s, %s, %s, process %d\n", time.Since(s.Started).Round(time.Second), mode, kept, s.PID)
	if s.NetworkError != "" {
		fmt.Fprintf(w, "NETWORK DOES NOT MATCH THE STATE (revision %d of %d): %s\n", s.AppliedRevision, s.Revision, s.NetworkError)
	} else {
		fmt.Fprintf(w, "network: revision %d of %d applied\n", s.AppliedRevision, s.Revision)
	}
	if s.AssumePrivateDNS {
		fmt.Fprintln(w, "WARNING: private DNS is assumed for every interface endpoint; AWS does not do that")
	}
	if len(s.RaisedQuotas) > 0 {
		fmt.Fprintf(w, "quotas that are not AWS's usual ones: %s\n", strings.Join(s.RaisedQuotas, ", "))
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Resources)) {
		fmt.Fprintf(w, "  %-20s %d\n", kind, s.Resources[kind])
	}
	if len(s.NotEnforced) > 0 {
		fmt.Fprintln(w, "accepted but not enforced:")
		for _, n := range s.NotEnforced {
			fmt.Fprintf(w, "  %s\n", n)
		}
	}
}

func newDown(c *client) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Stop the running region",
		Long:  "Stop the running region and wait until it has gone. What it keeps in its data directory stays.",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.call(cmd.Context(), "POST", "down", nil, nil); err != nil {
				return err
			}
			for range 200 {
				if err := c.call(cmd.Context(), "GET", "status", nil, nil); err != nil {
					return nil // it does not answer any more
				}
				time.Sleep(50 * time.Millisecond)
			}
			return &exitError{ExitFailed, "the region was asked to stop but still answers after 10 s"}
		},
	}
}
