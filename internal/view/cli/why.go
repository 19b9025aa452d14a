package cli
import "github.com/spf13/cobra"
func newWhy(c *client) *cobra.Command { return &cobra.Command{Use:"why"} }
