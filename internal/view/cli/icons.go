package cli

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// iconFiles are the icons of a picture, and what their files are called: our own name first, then those of AWS's icon
// deck without its prefix, its size and everything that is no letter.
func iconFiles() map[string][]string {
	return map[string][]string{
		"function":         {"function", "awslambda", "awslambdalambdafunction"},
		"instance":         {"instance", "amazonecinstance", "amazonec"},
		"interface":        {"interface", "amazonvpcelasticnetworkinterface"},
		"nat":              {"nat", "amazonvpcnatgateway"},
		"internet-gateway": {"internetgateway", "amazonvpcinternetgateway"},
		"egress-only":      {"egressonly"},
		"endpoint":         {"endpoint", "amazonvpcendpoints"},
		"peering":          {"peering", "amazonvpcpeeringconnection"},
		"balancer":         {"balancer", "elasticloadbalancingnetworkloadbalancer", "elasticloadbalancing"},
		"storage":          {"storage", "amazonsimplestorageservice"},
		"security":         {"security", "awsidentityandaccessmanagement"},
		"service":          {"service"},
		"internet":         {"internet"},
	}
}

// userIcon is an icon as the region takes it.
type userIcon struct {
	SVG []byte `json:"svg,omitempty"`
	PNG []byte `json:"png,omitempty"`
}

var (
	deckPrefix = regexp.MustCompile(`^(arch|res)_`)
	deckSuffix = regexp.MustCompile(`_\d+(@\dx)?(_light|_dark)?$`)
	noLetters  = regexp.MustCompile(`[^a-z]`)
)

// plainName is what a file is called, for comparison.
func plainName(path string) string {
	name := strings.ToLower(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	return noLetters.ReplaceAllString(deckSuffix.ReplaceAllString(deckPrefix.ReplaceAllString(name, ""), ""), "")
}

// readIcons finds icons in a directory and below. It returns the body of a request, and which of ours have none that
// a picture of the format can show.
func readIcons(directory, format string) (body []byte, missing []string, err error) {
	files := map[string]string{} // by kind and plain name
	err = filepath.WalkDir(directory, func(path string, d fs.DirEntry, err error) error {
		kind := strings.ToLower(filepath.Ext(path))
		if err != nil || d.IsDir() || kind != ".svg" && kind != ".png" {
			return err
		}
		key := kind + plainName(path)
		// Of several sizes the deck's 48 or 64 are for cards; else the first in the order of paths.
		if files[key] == "" || strings.Contains(filepath.Base(path), "_48") {
			files[key] = path
		}
		return nil
	})
	if err != nil {
		return nil, nil, &exitError{ExitUsage, fmt.Sprintf("--icons: %v", err)}
	}
	found := map[string]userIcon{}
	for name, called := range iconFiles() {
		var i userIcon
		for _, c := range called {
			for kind, into := range map[string]*[]byte{".svg": &i.SVG, ".png": &i.PNG} {
				path := files[kind+c]
				if path == "" || len(*into) > 0 {
					continue
				}
				if *into, err = os.ReadFile(path); err != nil {
					return nil, nil, &exitError{ExitUsage, fmt.Sprintf("--icons: %v", err)}
				}
			}
		}
		if len(i.SVG)+len(i.PNG) > 0 {
			found[name] = i
		}
		if len(i.PNG) == 0 && (len(i.SVG) == 0 || format == "png") {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	if len(found) == 0 {
		return nil, nil, &exitError{ExitUsage, fmt.Sprintf("--icons: there is no icon in %s: neither files of AWS's icon deck nor any called %s, with .svg or .png",
			directory, strings.Join(missing, ", "))}
	}
	body, err = json.Marshal(map[string]any{"icons": found})
	return body, missing, err
}
