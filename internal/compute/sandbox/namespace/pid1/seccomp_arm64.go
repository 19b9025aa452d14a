package pid1

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// refusedHere are the calls that this architecture has and others have not.
var refusedHere = []uint32{unix.SYS_KEXEC_FILE_LOAD}
