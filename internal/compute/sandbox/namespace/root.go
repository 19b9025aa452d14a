package namespace

import (
	"fmt"
	"maps"
	"os"

	"golang.org/x/sys/unix"

	"github.com/culvert-cloud/culvert/internal/compute/sandbox"
	"github.com/culvert-cloud/culvert/internal/compute/sandbox/namespace/pid1"
)

// systemDirs are the host's directories that programs need. On most systems all but the first are links or not
// there at all.
var systemDirs = []string{"/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32", "/nix/store"}

// systemFiles are shown if the host has them: the linker's cache and the links of Debian's alternatives.
var systemFiles = []string{"/etc/ld.so.cache", "/etc/alternatives"}

// devices are all a function gets.
var devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}

// detached is a private copy of the mounts at a path, with its flags set before anybody sees it. It is taken
// here rather than in the sandbox because the sandbox's user may not be able to walk to the path.
func detached(path string, device bool) (*os.File, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return nil, fmt.Errorf("take %s: %w", path, err)
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID}
	if !device {
		attr.Attr_set |= unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_RDONLY
	}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("protect %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// view collects what a sandbox sees: descriptors of detached mounts, and where they go.
type view struct {
	files  []*os.File
	mounts []pid1.Mount
	links  map[string]string
}

func (v *view) close() {
	for _, f := range v.files {
		f.Close()
	}
}

func (v *view) add(source, target string, device bool) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	f, err := detached(source, device)
	if err != nil {
		return err
	}
	v.mounts = append(v.mounts, pid1.Mount{FD: pid1.FirstMount + len(v.files), Target: target, Dir: info.IsDir()})
	v.files = append(v.files, f)
	return nil
}

// newView takes everything that the specification shows. The caller closes it.
func newView(spec sandbox.Spec) (*view, error) {
	v := &view{links: map[string]string{
		"/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0",
		"/dev/stdout": "/proc/self/fd/1", "/dev/stderr": "/proc/self/fd/2",
	}}
	maps.Copy(v.links, spec.Links)
	if err := v.fill(spec); err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

func (v *view) fill(spec sandbox.Spec) error {
	for _, dir := range systemDirs {
		if target, err := os.Readlink(dir); err == nil {
			v.links[dir] = target
			continue
		}
		if err := v.add(dir, dir, false); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	for _, file := range systemFiles {
		if err := v.add(file, file, false); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	for _, device := range devices {
		if err := v.add(device, device, true); err != nil {
			return err
		}
	}
	for _, m := range spec.Mounts {
		if err := v.add(m.Source, m.Target, false); err != nil {
			return err
		}
	}
	return nil
}

// pid1Spec is the specification in the words of PID 1.
func (v *view) pid1Spec(spec sandbox.Spec, single bool) pid1.Spec {
	return pid1.Spec{
		Hostname:  spec.Hostname,
		Mounts:    v.mounts,
		Links:     v.links,
		Files:     withIdentity(spec.Files),
		MemInfo:   memInfo(spec.MemoryBytes),
		TmpBytes:  spec.TmpBytes,
		UID:       userID,
		GID:       groupID,
		SingleID:  single,
		OpenFiles: spec.OpenFiles,
		Processes: spec.Processes,
	}
}

// withIdentity adds the files that name the users inside.
func withIdentity(files map[string]string) map[string]string {
	all := map[string]string{
		"/etc/passwd": fmt.Sprintf("root:x:0:0:root:/root:/bin/bash\nsbx_user1051:x:%d:%d::/home/sbx_user1051:/sbin/nologin\n", userID, groupID),
		"/etc/group":  fmt.Sprintf("root:x:0:\nsbx_user1051:x:%d:\n", groupID),
	}
	maps.Copy(all, files)
	return all
}

// memInfo is what the function sees of the machine's memory: its own. Node and the JVM size their heaps by it.
func memInfo(bytes int64) string {
	kb := bytes >> 10
	return fmt.Sprintf("MemTotal:       %8d kB\nMemFree:        %8d kB\nMemAvailable:   %8d kB\nBuffers:        %8d kB\n"+
		"Cached:         %8d kB\nSwapTotal:      %8d kB\nSwapFree:       %8d kB\n", kb, kb*3/4, kb*3/4, 0, 0, 0, 0)
}
