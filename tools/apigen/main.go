// Command apigen writes the Go types of AWS operations from the AWS service models.
//
// It reads internal/service/<name>/operations.txt, one operation a line, and writes types_gen.go beside it: the
// input and output of each listed operation and every shape they use, with the struct tags that api/wire reads.
// The models are those inside the module github.com/aws/aws-sdk-go; members that are newer than the models come
// from an optional overlay.json, which has the form of a model and is merged into it.
//
// With -names FILE it writes the names of all operations of the services to a file instead, with -filters FILE the
// filters of EC2's listings.
//
// Run it with go generate, or: go run -C tools ./apigen ec2
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// versions are the API versions of the services that the program knows.
func versions() map[string]string {
	return map[string]string{
		"ec2":    "2016-11-15",
		"elbv2":  "2015-12-01",
		"iam":    "2010-05-08",
		"lambda": "2015-03-31",
		"logs":   "2014-03-28",
		"sts":    "2011-06-15",
	}
}

// modelFolder is where the model of a service is, which is not always called as the service is here.
func modelFolder(service string) string {
	if service == "elbv2" {
		return "elasticloadbalancingv2"
	}
	return service
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: apigen service..., apigen -names file, or apigen -filters file")
		os.Exit(2)
	}
	if lists := map[string]func(string) error{"-names": writeNames, "-filters": writeFilters}; len(os.Args) == 3 && lists[os.Args[1]] != nil {
		if err := lists[os.Args[1]](os.Args[2]); err != nil {
			fmt.Fprintf(os.Stderr, "apigen %s: %v\n", os.Args[1], err)
			os.Exit(1)
		}
		return
	}
	for _, service := range os.Args[1:] {
		if err := generate(service); err != nil {
			fmt.Fprintf(os.Stderr, "apigen %s: %v\n", service, err)
			os.Exit(1)
		}
	}
}

// generate writes the types of one service. It runs in the folder tools.
func generate(service string) error {
	version, ok := versions()[service]
	if !ok {
		return fmt.Errorf("service is not in the table of versions")
	}
	models, err := modelDir()
	if err != nil {
		return err
	}
	dir := filepath.Join("..", "internal", "service", service)
	m, err := loadModel(filepath.Join(models, modelFolder(service), version, "api-2.json"), filepath.Join(dir, "overlay.json"))
	if err != nil {
		return err
	}
	operations, err := readOperations(filepath.Join(dir, "operations.txt"))
	if err != nil {
		return err
	}
	source, err := emit(service, m, operations)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "types_gen.go"), source, 0o644)
}

// modelDir finds the models in the module cache, and downloads them if they are not there.
func modelDir() (string, error) {
	out, err := exec.Command("go", "mod", "download", "-json", "github.com/aws/aws-sdk-go").Output()
	if err != nil {
		return "", fmt.Errorf("download the models: %w", err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", fmt.Errorf("read where the models are: %w", err)
	}
	return filepath.Join(module.Dir, "models", "apis"), nil
}

// readOperations reads the list of operations, sorted, without comments.
func readOperations(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var names []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		line, _, _ := strings.Cut(s.Text(), "#")
		if line = strings.TrimSpace(line); line != "" {
			names = append(names, line)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), s.Err()
}
