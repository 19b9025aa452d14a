package pid1

import (
	"os"
	"path"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// stage is where the new root is built. Any directory does: it is hidden in this mount namespace only.
const stage = "/tmp"

// enterRoot makes the sandbox's file system and leaves the host's behind.
func enterRoot(s *Spec) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return wrap("make mounts private", err)
	}
	if err := unix.Mount("sandbox", stage, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=4m,mode=755"); err != nil {
		return wrap("mount root", err)
	}
	if err := os.Chdir(stage); err != nil {
		return err
	}
	if err := furnish(s); err != nil {
		return err
	}
	if err := mountProc(s.MemInfo); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return wrap("pivot to the new root", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return wrap("leave the old root", err)
	}
	for _, p := range []string{"/", "/dev"} {
		if err := readOnly(p, 0); err != nil {
			return wrap("make "+p+" read-only", err)
		}
	}
	// Only now is the process in its cgroups; without this /proc/self/cgroup would show the host's paths.
	// Not every kernel has the namespace and nothing depends on it.
	_ = unix.Unshare(unix.CLONE_NEWCGROUP)
	return wrap("set host name", unix.Sethostname([]byte(s.Hostname)))
}

// furnish fills the new root, which is the working directory.
func furnish(s *Spec) error {
	root, err := os.OpenRoot(".")
	if err != nil {
		return err
	}
	defer root.Close()
	for _, d := range []string{"dev", "proc", "tmp", "etc", "opt", "var/task"} {
		if err := root.MkdirAll(d, 0o755); err != nil {
			return wrap("make /"+d, err)
		}
	}
	if err := unix.Mount("dev", "dev", "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "size=64k,mode=755"); err != nil {
		return wrap("mount /dev", err)
	}
	if err := unix.Mount("tmp", "tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, tmpOptions(s.TmpBytes)); err != nil {
		return wrap("mount /tmp", err)
	}
	for p, target := range s.Links {
		name := strings.TrimPrefix(p, "/")
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return wrap("link "+p, err)
		}
		if err := root.Symlink(target, name); err != nil {
			return wrap("link "+p, err)
		}
	}
	for p, content := range s.Files {
		if err := writeFile(root, strings.TrimPrefix(p, "/"), content); err != nil {
			return wrap("write "+p, err)
		}
	}
	// Outer mounts first.
	sort.SliceStable(s.Mounts, func(i, j int) bool { return s.Mounts[i].Target < s.Mounts[j].Target })
	for _, m := range s.Mounts {
		if err := place(root, m); err != nil {
			return wrap("mount "+m.Target, err)
		}
	}
	return nil
}

// tmpOptions bounds the number of files too: inodes are kernel memory.
func tmpOptions(size int64) string {
	return "size=" + strconv.FormatInt(size, 10) + ",mode=1777,nr_inodes=" + strconv.FormatInt(max(size>>12, 1024), 10)
}

func writeFile(root *os.Root, name, content string) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	return root.WriteFile(name, []byte(content), 0o644)
}

// place moves a detached mount to its target. The target may lie in a customer's directory, which may be full
// of symbolic links to anywhere, and this is still the host's file system: none is followed.
func place(root *os.Root, m Mount) error {
	name := strings.TrimPrefix(m.Target, "/")
	if _, err := root.Lstat(name); os.IsNotExist(err) {
		if m.Dir {
			err = root.MkdirAll(name, 0o755)
		} else {
			err = writeFile(root, name, "")
		}
		if err != nil {
			return err
		}
	}
	how := &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC | unix.O_NOFOLLOW,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	}
	target, err := unix.Openat2(unix.AT_FDCWD, name, how)
	if err != nil {
		return err
	}
	defer unix.Close(target)
	if err := unix.MoveMount(m.FD, "", target, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH); err != nil {
		return err
	}
	return unix.Close(m.FD)
}

// masked are files of /proc that tell about, or act on, the whole machine.
var masked = []string{"kcore", "keys", "key-users", "timer_list", "sched_debug", "sysrq-trigger", "latency_stats",
	"kallsyms", "kpagecount", "kpageflags", "kpagecgroup", "kmsg"}

// mountProc mounts a /proc of this PID namespace, in which nothing of the machine can be changed.
func mountProc(meminfo string) error {
	if err := unix.Mount("proc", "proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return wrap("mount /proc", err)
	}
	for _, m := range masked {
		p := "proc/" + m
		if _, err := os.Lstat(p); err != nil {
			continue
		}
		if err := unix.Mount("dev/null", p, "", unix.MS_BIND, ""); err != nil {
			return wrap("mask /"+p, err)
		}
	}
	for _, d := range []string{"proc/sys", "proc/irq", "proc/bus", "proc/fs"} {
		if _, err := os.Lstat(d); err != nil {
			continue
		}
		if err := unix.Mount(d, d, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return wrap("bind /"+d, err)
		}
		if err := readOnly(d, unix.AT_RECURSIVE); err != nil {
			return wrap("make /"+d+" read-only", err)
		}
	}
	return coverMemInfo(meminfo)
}

// coverMemInfo shows the function's memory where runtimes look for the machine's.
func coverMemInfo(content string) error {
	const name = "meminfo"
	if err := os.WriteFile(name, []byte(content), 0o444); err != nil {
		return wrap("write meminfo", err)
	}
	if err := unix.Mount(name, "proc/meminfo", "", unix.MS_BIND, ""); err != nil {
		return wrap("cover /proc/meminfo", err)
	}
	return os.Remove(name) // the mount keeps the file
}

func readOnly(p string, flags uint) error {
	return unix.MountSetattr(unix.AT_FDCWD, p, flags, &unix.MountAttr{
		Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID,
	})
}
