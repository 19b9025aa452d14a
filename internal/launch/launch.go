// Package launch puts this program where it may make networks: PID 1 of a PID namespace, in a private mount
// namespace and, for an ordinary user, as root of a user namespace.
//
// The program starts itself again in there and waits. Two things follow from that. Everything it makes needs
// no privilege on the host, and nothing outlives it: when PID 1 dies, however it dies, the kernel ends every
// process in the namespace, and with the last process and descriptor every network namespace goes too. The
// child stays in the host's network namespace, where it may open ordinary sockets on loopback and nothing
// more. The package does not know what the program does next; cmd/culvert and the tests' TestMain decide.
package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// marker tells the child that it is the child. Its value is "root" or "rootless".
const marker = "_CULVERT_LAUNCHED"

func init() {
	// The main thread must stay in the host's network namespace, or /proc/self would lie.
	runtime.LockOSThread()
}

// Inside reports whether this process is the child.
func Inside() bool { return os.Getenv(marker) != "" && os.Getpid() == 1 }

// Rootless reports whether this process runs as root of a user namespace that an ordinary user made.
func Rootless() bool { return os.Getenv(marker) == "rootless" }

// Reexec returns at once in the child. In the parent it starts the child with the same arguments, forwards
// signals, waits, and ends the process with the child's exit status; it returns only if the child cannot be
// started, with an error that says what to do about it. A signal from before the call is known by the end of the
// context. Programs run by the child should have their environment cleaned with [Environ].
func Reexec(ctx context.Context) error {
	if Inside() {
		return prepare()
	}
	return start(ctx, os.Args[1:])
}

func start(ctx context.Context, args []string) error {
	w, err := newWatch()
	if err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), marker+"=root")
	cmd.ExtraFiles = []*os.File{w.theirs} // lineFD
	attr := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if !privileged() {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
		cmd.Env = append(cmd.Env, marker+"=rootless")
	}
	cmd.SysProcAttr = attr
	if err := cmd.Start(); err != nil {
		return explain(err)
	}
	w.theirs.Close()
	go w.forward(ctx, cmd.Process)
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		os.Exit(0)
	case errors.As(err, &exit):
		os.Exit(w.status(exit))
	}
	return fmt.Errorf("wait for the region's process: %w", err)
}

// hostPID is the child's process id as the host sees it; 0 outside.
var hostPID int

// HostPID is this process's id as the host sees it, 0 if it is not the child.
func HostPID() int { return hostPID }

// prepare gives the child its own /proc, without which its process ids mean nothing.
func prepare() error {
	// Until it is covered, /proc is the host's.
	if self, err := os.Readlink("/proc/self"); err == nil {
		hostPID, _ = strconv.Atoi(self)
	}
	if err := report(); err != nil {
		return err
	}
	moreFiles()
	// Sandboxes run as other users and must be able to read what is made for them. What is secret has a mode of
	// its own.
	unix.Umask(0o022)
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w (in a container: run it with --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined, or --privileged)", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount a private /proc: %w (in a container: run it with --security-opt systempaths=unconfined, or --privileged)", err)
	}
	return nil
}

// privileged reports whether this process may make namespaces and networks by itself.
func privileged() bool {
	var data [2]unix.CapUserData
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if os.Getuid() != 0 || unix.Capget(&header, &data[0]) != nil {
		return false
	}
	const need = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_NET_ADMIN
	return data[0].Effective&need == need
}

// Environ is the environment without this package's marker, for programs that the child runs.
func Environ() []string {
	var out []string
	for _, kv := range os.Environ() {
		if len(kv) <= len(marker) || kv[:len(marker)+1] != marker+"=" {
			out = append(out, kv)
		}
	}
	return out
}

// explain adds the remedy to the ways in which starting fails.
func explain(err error) error {
	remedy := "run it as root, or allow unprivileged user namespaces"
	switch {
	case readSetting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
		remedy = "this system restricts user namespaces by AppArmor (Ubuntu 23.10 and later): run it as root, or `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
	case readSetting("/proc/sys/kernel/unprivileged_userns_clone") == "0":
		remedy = "run it as root, or `sudo sysctl kernel.unprivileged_userns_clone=1`"
	case readSetting("/proc/sys/user/max_user_namespaces") == "0":
		remedy = "run it as root, or `sudo sysctl user.max_user_namespaces=10000`"
	case fileExists("/.dockerenv"):
		remedy = "in Docker: --privileged, or --cap-add NET_ADMIN --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined"
	}
	return fmt.Errorf("create namespaces: %w: %s", err, remedy)
}

func readSetting(path string) string {
	b, err := os.ReadFile(path)
	if err != nil || len(b) == 0 {
		return ""
	}
	return string(b[:1])
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
