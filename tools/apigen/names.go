package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// writeNames writes what operations AWS's services have, for the page that says which are served: one line for a
// service, its name and its operations. S3's protocol is not made of generated types, but its operations have names.
func writeNames(path string) error {
	models, err := modelDir()
	if err != nil {
		return err
	}
	all := maps.Clone(versions())
	all["s3"] = "2006-03-01"
	var out strings.Builder
	out.WriteString("# The operations of AWS's services, from their models. Made by go generate; do not edit.\n")
	for _, service := range slices.Sorted(maps.Keys(all)) {
		m, err := loadModel(filepath.Join(models, modelFolder(service), all[service], "api-2.json"), filepath.Join("..", "internal", "service", service, "overlay.json"))
		if err != nil {
			return err
		}
		name := m.Metadata.SigningName
		if name == "" {
			name = m.Metadata.EndpointPrefix
		}
		fmt.Fprintf(&out, "%s: %s\n", name, strings.Join(slices.Sorted(maps.Keys(m.Operations)), " "))
	}
	return os.WriteFile(path, []byte(out.String()), 0o644)
}
