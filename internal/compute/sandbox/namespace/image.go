package namespace

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// sealedImage is a copy of this program that nobody can change. Sandboxes run it rather than the file on disk,
// which the function's user may own, and which it could otherwise open for writing through /proc (the way of
// CVE-2019-5736).
func sealedImage() (*os.File, error) {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("culvert", flags|unix.MFD_EXEC)
	if err == unix.EINVAL { // before Linux 6.3
		fd, err = unix.MemfdCreate("culvert", flags)
	}
	if err == unix.EACCES { // vm.memfd_noexec=2: the mount below is read-only instead
		return readOnlyImage(self)
	}
	if err != nil {
		self.Close()
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	defer self.Close()
	image := os.NewFile(uintptr(fd), "culvert")
	if _, err := io.Copy(image, self); err != nil {
		image.Close()
		return nil, err
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(image.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		image.Close()
		return nil, fmt.Errorf("seal: %w", err)
	}
	return image, nil
}

// readOnlyImage is the file on disk through a read-only mount of its own.
func readOnlyImage(self *os.File) (*os.File, error) {
	defer self.Close()
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	return detached(path, false)
}
