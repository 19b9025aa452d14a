package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// model is the part of an AWS service model (api-2.json) that the types need.
type model struct {
	Metadata   struct{ Protocol, SigningName, EndpointPrefix string }
	Operations map[string]*operation
	Shapes     map[string]*shape
}

type operation struct {
	HTTP struct {
		Method       string
		RequestURI   string `json:"requestUri"`
		ResponseCode int
	}
	Input, Output *ref
}

// ref is the use of a shape, by a member, a list, a map or an operation.
type ref struct {
	Shape           string
	LocationName    string
	QueryName       string
	Location        string
	ResultWrapper   string
	Flattened       bool
	TimestampFormat string
}

type shape struct {
	Type            string
	Required        []string
	Members         map[string]*ref
	Member          *ref // of a list
	Key, Value      *ref // of a map
	Payload         string
	Flattened       bool
	Min, Max        *float64
	Enum            []string
	Pattern         string
	TimestampFormat string
}

// loadModel reads a model and merges the overlay, if there is one, into it.
func loadModel(path, overlay string) (*model, error) {
	tree, err := readTree(path)
	if err != nil {
		return nil, err
	}
	switch more, err := readTree(overlay); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		merge(tree, more)
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	m := new(model)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("read model %s: %w", path, err)
	}
	return m, nil
}

func readTree(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return tree, nil
}

// merge adds the entries of b to a. Objects are merged, everything else is replaced.
func merge(a, b map[string]any) {
	for k, v := range b {
		old, isObject := a[k].(map[string]any)
		more, wantsObject := v.(map[string]any)
		if isObject && wantsObject {
			merge(old, more)
		} else {
			a[k] = v
		}
	}
}
