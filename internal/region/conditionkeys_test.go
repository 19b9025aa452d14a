package region

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sources are where condition keys are set: by the evaluator's context and by services.
var sources = []string{"../api/policy/context.go", "../api/server/tags.go", "../service", "../region"}

var setKey = regexp.MustCompile(`"((?:aws|ec2|elasticloadbalancing|iam|lambda|s3|sts):[a-z0-9-]+/?)"`)

// setKeys are the keys that the program sets: they are written in lower case wherever that is done.
func setKeys(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	read := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range setKey.FindAllSubmatch(text, -1) {
			found[string(m[1])] = path
		}
	}
	for _, root := range sources {
		if strings.HasSuffix(root, ".go") {
			read(root)
			continue
		}
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "servicetest") {
				read(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// built are those whose names are put together where they are set.
var built = []string{
	"aws:resourcetag/", "ec2:resourcetag/", "iam:resourcetag/", "elasticloadbalancing:resourcetag/", "s3:existingobjecttag/",
	"s3:requestobjecttag/", "s3:requestobjecttagkeys", "s3:prefix", "s3:delimiter", "s3:max-keys",
}

func TestTheListOfConditionKeysIsTrue(t *testing.T) {
	found := setKeys(t)
	listed, never := map[string]bool{}, map[string]bool{}
	for _, g := range conditionKeys() {
		for _, name := range g.set {
			listed[strings.ToLower(g.prefix+":"+strings.TrimSuffix(name, "*"))] = true
		}
		for _, name := range g.unset {
			never[strings.ToLower(g.prefix+":"+strings.TrimSuffix(name, "*"))] = true
		}
	}
	for key := range listed {
		if _, ok := found[key]; !ok && !slices.Contains(built, key) && !strings.HasPrefix(key, "s3:x-amz-") {
			t.Errorf("%s is listed as set, and nothing sets it", key)
		}
		if never[key] {
			t.Errorf("%s is listed twice", key)
		}
	}
	for key, path := range found {
		if key == "s3:existingobjecttag" || key == "s3:requestobjecttag" || key == "aws:" || key == "aws:x" {
			continue // the names before their tags
		}
		if !listed[key] {
			t.Errorf("%s sets %s, which is not listed as set", path, key)
		}
	}
}
