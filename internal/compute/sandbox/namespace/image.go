package namespace

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// protectedImage is this program in a form that nobody in a sandbox can change, whatever it finds in /proc (the
// way of CVE-2019-5736: the file on disk may belong to the function's user). It is the file through a read-only
// mount of its own, which costs nothing; where that cannot be had, a sealed copy in memory.
func protectedImage() (*os.File, error) {
	image, err := readOnlyImage()
	if err == nil {
		return image, nil
	}
	copied, copyErr := sealedImage()
	if copyErr != nil {
		return nil, errors.Join(err, copyErr)
	}
	return copied, nil
}

// readOnlyImage is the file on disk through a read-only mount. Only who has CAP_SYS_ADMIN over our mount
// namespace could make it writable again, and nobody in a sandbox has.
func readOnlyImage() (*os.File, error) {
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	image, err := detached(path, false)
	if err != nil {
		return nil, err
	}
	// The path may lead to another program by now.
	self, err := os.Stat("/proc/self/exe")
	if err == nil {
		var found os.FileInfo
		if found, err = image.Stat(); err == nil && !os.SameFile(self, found) {
			err = fmt.Errorf("%s is not this program any more", path)
		}
	}
	if err != nil {
		image.Close()
		return nil, err
	}
	return image, nil
}

// sealedImage is a copy in memory.
func sealedImage() (*os.File, error) {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer self.Close()
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("culvert", flags|unix.MFD_EXEC)
	if err == unix.EINVAL { // before Linux 6.3
		fd, err = unix.MemfdCreate("culvert", flags)
	}
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
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
