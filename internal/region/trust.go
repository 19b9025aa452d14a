package region

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// Where systems keep the certificates they trust.
var bundles = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"}

// writeBundle makes the certificates that workloads trust: this machine's and the region's own authority. It
// returns the file's path.
func writeBundle(directory string, authority []byte) (string, error) {
	var all bytes.Buffer
	for _, b := range bundles {
		content, err := os.ReadFile(b)
		if err != nil {
			continue
		}
		all.Write(bytes.TrimSpace(content))
		all.WriteByte('\n')
		break
	}
	all.Write(authority)
	path := filepath.Join(directory, "ca-bundle.pem")
	if err := os.WriteFile(path, all.Bytes(), 0o644); err != nil {
		return "", fmt.Errorf("write certificate bundle: %w", err)
	}
	return path, nil
}
