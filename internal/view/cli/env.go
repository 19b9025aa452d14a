package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// The operator's key pair: the account's root.
const operatorKey = "test"

// variables is what an AWS client needs to work with the region, in order.
func variables(s status, endpoint string) [][2]string {
	return [][2]string{
		{"AWS_ENDPOINT_URL", strings.TrimSuffix(endpoint, "/")},
		{"AWS_ACCESS_KEY_ID", operatorKey},
		{"AWS_SECRET_ACCESS_KEY", operatorKey},
		{"AWS_REGION", s.Region},
		{"AWS_DEFAULT_REGION", s.Region}, // AWS CLI v1 reads only this one
		{"AWS_EC2_METADATA_DISABLED", "true"},
	}
}

// others would lead a client elsewhere, or give it other credentials.
var others = []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"}

func newEnv(c *client) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print the variables that lead AWS clients to the region",
		Example: `  eval "$(culvert env)"
  aws ec2 describe-vpcs`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s status
			if err := c.call(cmd.Context(), "GET", "status", nil, &s); err != nil {
				return err
			}
			if asJSON {
				m := map[string]string{}
				for _, v := range variables(s, *c.endpoint) {
					m[v[0]] = v[1]
				}
				return json.NewEncoder(cmd.OutOrStdout()).Encode(m)
			}
			for _, v := range variables(s, *c.endpoint) {
				fmt.Fprintf(cmd.OutOrStdout(), "export %s=%s\n", v[0], quote(v[1]))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "unset %s\n", strings.Join(others, " "))
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newExec(c *client) *cobra.Command {
	return &cobra.Command{
		Use:   "exec -- COMMAND [ARGUMENT...]",
		Short: "Run a program with everything set for the region",
		Long: `Run a program with everything set for the region: what culvert env prints and, for programs that use S3 Control (the
Terraform AWS provider does), the region as HTTP proxy, so that its account-labelled host name needs no DNS.`,
		Example: `  culvert exec -- terraform apply
  culvert exec -- aws lambda invoke --function-name f out.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &exitError{ExitUsage, "say which program: culvert exec -- COMMAND"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var s status
			if err := c.call(cmd.Context(), "GET", "status", nil, &s); err != nil {
				return err
			}
			path, err := exec.LookPath(args[0])
			if err != nil {
				return err
			}
			// In place of this process: signals and the exit status are nobody's but the program's.
			err = syscall.Exec(path, args, execEnvironment(os.Environ(), s, *c.endpoint))
			return fmt.Errorf("run %s: %w", path, err)
		},
	}
}

// execEnvironment is the environment of a program that culvert exec runs.
func execEnvironment(environ []string, s status, endpoint string) []string {
	set := append(variables(s, endpoint),
		[2]string{"AWS_ENDPOINT_URL_S3_CONTROL", "http://aws.test"},
		[2]string{"HTTP_PROXY", endpoint}, [2]string{"http_proxy", endpoint})
	drop := slices.Clone(others)
	for _, v := range set {
		drop = append(drop, v[0])
	}
	out := slices.DeleteFunc(slices.Clone(environ), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains(drop, name) || strings.HasPrefix(name, "AWS_ENDPOINT_URL_")
	})
	for _, v := range set {
		out = append(out, v[0]+"="+v[1])
	}
	return out
}

// quote makes a word of a POSIX shell.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:@", r))
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
