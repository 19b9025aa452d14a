package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/culvert-cloud/culvert/internal/view/stream"
)

// runRequest is what is asked of POST /_culvert/run.
type runRequest struct {
	Function string   `json:"function"`
	Subnet   string   `json:"subnet"`
	Groups   []string `json:"groups"`
	Role     string   `json:"role"`
	Argv     []string `json:"argv"`
	Found    string   `json:"found"`
	Env      []string `json:"env"`
	Path     string   `json:"path"`
	Dir      string   `json:"dir"`
	Mounts   []string `json:"mounts"`
	Instance string   `json:"instance"`
	Terminal *window  `json:"terminal"`
}

// runEnd is the last frame of a command.
type runEnd struct {
	Code        int    `json:"code"`
	Signal      string `json:"signal"`
	OutOfMemory bool   `json:"outOfMemory"`
	Error       string `json:"error"`
}

func newRun(c *client) *cobra.Command {
	var q runRequest
	cmd := &cobra.Command{
		Use:   "run [flags] -- COMMAND [ARGUMENT...]",
		Short: "Run a command of this machine inside the network",
		Long: `Run a command of this machine on a network interface of its own in a subnet: with the subnet's routes and network ACL, the
groups' rules, the VPC's names, and the certificates that make TLS work with the real names. It has no other network.

The command sees this machine's programs, the current directory and what --mount names, read-only; it may write to /tmp.
Without --role it has no credentials. The interface is gone when the command ends.`,
		Example: `  culvert run --subnet subnet-0a1b2c3d4e5f60718 --role reader -- aws s3 ls
  culvert run --function reader -- curl -sv https://s3.us-west-2.amazonaws.com   # as, and where, a function runs
  culvert run --subnet subnet-0a1b2c3d4e5f60718 --security-group sg-0a1b2c3d4e5f60718 -- python3 -m http.server 80`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &exitError{ExitUsage, "say which command: culvert run --subnet ID -- COMMAND"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			q.Argv, q.Path = args, os.Getenv("PATH")
			return c.run(cmd.Context(), q)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false)
	f.StringVar(&q.Function, "function", "", "run it where, and as whom, this function runs")
	f.StringVar(&q.Subnet, "subnet", "", "id of the subnet")
	f.StringArrayVar(&q.Groups, "security-group", nil, "id of a security group (may be repeated; none: the VPC's default group)")
	f.StringVar(&q.Role, "role", "", "name or ARN of the role whose credentials the command gets")
	f.StringArrayVar(&q.Env, "env", nil, "a variable for the command, as NAME=VALUE (may be repeated)")
	f.StringArrayVar(&q.Mounts, "mount", nil, "a further directory that the command sees (may be repeated)")
	return cmd
}

func (c *client) run(ctx context.Context, q runRequest) error {
	if err := q.complete(); err != nil {
		return err
	}
	conn, frames, err := c.ask(ctx, q)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // Ctrl-C: the region ends what nobody waits for
	defer stop()
	go send(frames, os.Stdin)
	return receive(frames)
}

// ask asks for the command, as who started the region.
func (c *client) ask(ctx context.Context, q runRequest) (net.Conn, *stream.Conn, error) {
	var s status
	if err := c.call(ctx, "GET", "status", nil, &s); err != nil {
		return nil, nil, err
	}
	key, err := readKey(s)
	if err != nil {
		return nil, nil, err
	}
	return c.upgrade(ctx, q, key)
}

// complete adds what the region cannot know.
func (q *runRequest) complete() error {
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the current directory: %w", err)
	}
	q.Dir = dir
	for i, m := range q.Mounts {
		if q.Mounts[i], err = filepath.Abs(m); err != nil {
			return fmt.Errorf("find %s: %w", m, err)
		}
	}
	if len(q.Argv) > 0 {
		if found, err := exec.LookPath(q.Argv[0]); err == nil {
			q.Found = found
		}
	}
	return nil
}

// readKey reads what proves that we are who started the region: a file that only they can read. That of a region
// that keeps nothing lies in a file system of its own, behind its process.
func readKey(s status) (string, error) {
	key, err := os.ReadFile(s.RunKey)
	if err != nil {
		key, err = os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.PID), "root", s.RunKey))
	}
	if err != nil {
		return "", fmt.Errorf("read the key of the region, as only who started it can: %w", err)
	}
	return hex.EncodeToString(key), nil
}

// upgrade asks for the command and returns the connection that then carries its input and output.
func (c *client) upgrade(ctx context.Context, q runRequest, key string) (net.Conn, *stream.Conn, error) {
	base, err := url.Parse(*c.endpoint)
	if err != nil || base.Host == "" {
		return nil, nil, &exitError{ExitUsage, fmt.Sprintf("--endpoint %q is not a URL", *c.endpoint)}
	}
	body, err := json.Marshal(q)
	if err != nil {
		return nil, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath("/_culvert/run").String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("X-Culvert-Key", key)
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", base.Host)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil, nil, &exitError{ExitNotRunning, fmt.Sprintf("no region answers on %s: start one with `culvert up`", *c.endpoint)}
	} else if err != nil {
		return nil, nil, err
	}
	if err := request.Write(conn); err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("ask the region: %w", err)
	}
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, request)
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("read the region's answer: %w", err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		conn.Close()
		return nil, nil, refusal(response.StatusCode, text)
	}
	return conn, stream.New(r, conn), nil
}

// send sends our input.
func send(frames *stream.Conn, from io.Reader) {
	_, _ = io.Copy(frames.Writer(stream.Stdin), from)
	_ = frames.Send(stream.StdinEnd, nil)
}

// receive writes the command's output until it ends, and ends as it did.
func receive(frames *stream.Conn) error {
	for {
		kind, b, err := frames.Receive()
		switch {
		case err != nil:
			return fmt.Errorf("the region went away: %w", err)
		case kind == stream.Stdout:
			_, _ = os.Stdout.Write(b) // a reader that has gone ends us by signal
		case kind == stream.Stderr:
			_, _ = os.Stderr.Write(b)
		case kind == stream.End:
			return ended(b)
		}
	}
}

// ended is the command's exit status as ours. A signal is 128 and more, as a shell has it.
func ended(b []byte) error {
	var end runEnd
	if err := json.Unmarshal(b, &end); err != nil {
		return fmt.Errorf("read how the command ended: %w", err)
	}
	switch {
	case end.Error != "":
		return &exitError{ExitFailed, end.Error}
	case end.OutOfMemory:
		return &exitError{137, "the command ran out of memory"}
	case end.Signal != "":
		return &exitError{signalStatus(end.Signal), "the command ended: " + end.Signal}
	case end.Code != 0:
		return &exitError{status: end.Code}
	}
	return nil
}

func signalStatus(name string) int {
	for n := syscall.Signal(1); n < 65; n++ {
		if n.String() == name {
			return 128 + int(n)
		}
	}
	return 128
}
