package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/culvert-cloud/culvert/internal/view/stream"
)

// window is our terminal, as the region is told of it.
type window struct {
	Type    string `json:"type"`
	Rows    uint16 `json:"rows"`
	Columns uint16 `json:"columns"`
}

func newShell(c *client) *cobra.Command {
	var q runRequest
	cmd := &cobra.Command{
		Use:   "shell [INSTANCE | flags] [-- COMMAND [ARGUMENT...]]",
		Short: "Sit at a terminal inside the network",
		Long: `Run a shell, or another program that wants a terminal, on a network interface of its own in a subnet, as culvert run does,
or beside what runs in an instance, as its user and with its role. Keys go to the shell, Ctrl-C too; exit ends it.

The terminal is one of the sandbox's own: what runs there cannot reach yours but by what it shows.`,
		Example: `  culvert shell --subnet subnet-0a1b2c3d4e5f60718 --role reader
  culvert shell --function reader                 # where, and as whom, a function runs
  culvert shell i-0a1b2c3d4e5f60718               # in a running instance
  culvert shell --subnet subnet-0a1b2c3d4e5f60718 -- python3`,
		RunE: func(cmd *cobra.Command, args []string) error {
			where, command := args, []string(nil)
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				where, command = args[:n], args[n:]
			}
			if len(where) > 1 || len(where) == 1 && !strings.HasPrefix(where[0], "i-") {
				return &exitError{ExitUsage, fmt.Sprintf("%q is not the id of an instance; a command stands behind --", strings.Join(where, " "))}
			}
			if len(where) == 1 {
				q.Instance = where[0]
			}
			q.Argv, q.Path = command, os.Getenv("PATH")
			return c.shell(cmd.Context(), q)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.Function, "function", "", "where, and as whom, this function runs")
	f.StringVar(&q.Subnet, "subnet", "", "id of the subnet")
	f.StringArrayVar(&q.Groups, "security-group", nil, "id of a security group (may be repeated; none: the VPC's default group)")
	f.StringVar(&q.Role, "role", "", "name or ARN of the role whose credentials the shell gets")
	f.StringArrayVar(&q.Env, "env", nil, "a variable for the shell, as NAME=VALUE (may be repeated)")
	f.StringArrayVar(&q.Mounts, "mount", nil, "a further directory that the shell sees (may be repeated)")
	return cmd
}

func (c *client) shell(ctx context.Context, q runRequest) error {
	const in = 0
	before, err := unix.IoctlGetTermios(in, unix.TCGETS)
	if err != nil {
		return &exitError{ExitUsage, "this is no terminal: use culvert run, which needs none"}
	}
	if err := q.complete(); err != nil {
		return err
	}
	size := windowSize(in)
	q.Terminal = &window{Type: os.Getenv("TERM"), Rows: size.Rows, Columns: size.Columns}
	// Whatever signal ends us, the terminal is put back first.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	conn, frames, err := c.ask(ctx, q)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	raw := rawMode(*before)
	if err := unix.IoctlSetTermios(in, unix.TCSETS, &raw); err != nil {
		return fmt.Errorf("take the terminal: %w", err)
	}
	defer func() { _ = unix.IoctlSetTermios(in, unix.TCSETS, before) }()
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
	go func() {
		for range resized {
			_ = frames.SendSize(windowSize(in)) // it may have ended
		}
	}()
	go send(frames, os.Stdin)
	err = receive(frames)
	if ctx.Err() != nil {
		return &exitError{ExitInterrupted, "interrupted"}
	}
	return err
}

// rawMode is a terminal's mode in which every key goes to who reads, and nothing is shown or changed by the way.
func rawMode(t unix.Termios) unix.Termios {
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return t
}

func windowSize(fd int) stream.Size {
	w, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	if err != nil {
		return stream.Size{}
	}
	return stream.Size{Rows: w.Row, Columns: w.Col}
}
