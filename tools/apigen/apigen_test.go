package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const testModel = `{
	"metadata": {"protocol": "PROTOCOL"},
	"operations": {
		"CreateThing": {"http": {"method": "POST", "requestUri": "/things/{Name}", "responseCode": 201}, "input": {"shape": "CreateThingRequest"}, "output": {"shape": "Thing"}},
		"ListThings": {"http": {"method": "GET", "requestUri": "/things"}, "output": {"shape": "ListThingsResponse"}},
		"Unlisted": {"input": {"shape": "UnlistedRequest"}}
	},
	"shapes": {
		"CreateThingRequest": {"type": "structure", "required": ["Name"], "members": {
			"Name": {"shape": "Name", "location": "uri", "locationName": "Name"},
			"kind": {"shape": "Kind", "locationName": "thingKind"},
			"Groups": {"shape": "Texts", "locationName": "groupSet", "queryName": "Group"}}},
		"ListThingsResponse": {"type": "structure", "members": {"Things": {"shape": "Things"}}},
		"Thing": {"type": "structure", "members": {"When": {"shape": "Time"}, "Data": {"shape": "Blob"}, "Parent": {"shape": "Thing"}, "Table": {"shape": "Table"}}},
		"UnlistedRequest": {"type": "structure", "members": {}},
		"Things": {"type": "list", "member": {"shape": "Thing", "locationName": "entry"}},
		"Texts": {"type": "list", "member": {"shape": "Name", "locationName": "item"}, "max": 5},
		"Table": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Number"}},
		"Name": {"type": "string", "min": 1, "max": 64, "pattern": "[\\u0041-\\u005A]+"},
		"Kind": {"type": "string", "enum": ["a", "b"], "pattern": "(?<!x)"},
		"Number": {"type": "integer"}, "Blob": {"type": "blob"}, "Time": {"type": "timestamp", "timestampFormat": "iso8601"}
	}
}`

func generated(t *testing.T, protocol, overlay string) string {
	t.Helper()
	dir := t.TempDir()
	path, more := filepath.Join(dir, "model.json"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, []byte(strings.Replace(testModel, "PROTOCOL", protocol, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if overlay != "" {
		if err := os.WriteFile(more, []byte(overlay), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m, err := loadModel(path, more)
	if err != nil {
		t.Fatal(err)
	}
	source, err := emit("things", m, []string{"CreateThing", "ListThings"})
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(` +`).ReplaceAllString(string(source), " ")
}

func TestTypesSayWhatTheModelSays(t *testing.T) {
	for _, test := range []struct{ protocol, want string }{
		{"rest-json", "Name *string `wire:\"Name,uri,required,min=1,max=64\" pattern:\"[\\\\x{0041}-\\\\x{005A}]+\"`"},
		{"rest-json", "Kind *string `wire:\"thingKind\" enum:\"a|b\"`"},
		{"rest-json", "Groups []string `wire:\"groupSet,max=5\"`"},
		{"ec2", "Groups []string `wire:\"Group,out=groupSet,max=5\"`"},
		{"ec2", "Kind *string `wire:\"ThingKind,out=thingKind\"`"},
		{"ec2", "Things []Thing `wire:\"Things,item=entry\"`"},
		{"query", "Groups []string `wire:\"groupSet,item=item,max=5\"`"},
		{"query", "When *time.Time `wire:\"When,time=iso8601\"`"},
		{"query", "Data []byte `wire:\"Data\"`"},
		{"query", "Parent *Thing `wire:\"Parent\"`"},
		{"query", "Table map[string]int64 `wire:\"Table\"`"},
		{"query", "type ListThingsInput struct{}"},
		{"query", "type ListThingsOutput struct {"},
		{"query", "type CreateThingOutput = Thing"},
		{"rest-json", "func (*CreateThingInput) HTTP() (method, path string, status int) {\n\treturn \"POST\", \"/things/{Name}\", 201\n}"},
	} {
		if got := generated(t, test.protocol, ""); !strings.Contains(got, test.want) {
			t.Errorf("%s: no %s in\n%s", test.protocol, test.want, got)
		}
	}
}

func TestOnlyWhatIsListedIsGenerated(t *testing.T) {
	if got := generated(t, "query", ""); strings.Contains(got, "Unlisted") || strings.Contains(got, "HTTP()") {
		t.Errorf("too much:\n%s", got)
	}
}

func TestTheOverlayAddsMembers(t *testing.T) {
	got := generated(t, "query", `{"shapes": {"Thing": {"members": {"Newer": {"shape": "Name"}}}, "Kind": {"enum": null}}}`)
	if !strings.Contains(got, "Newer *string") || !strings.Contains(got, "When *time.Time") || strings.Contains(got, "enum:") {
		t.Errorf("the overlay was not merged:\n%s", got)
	}
}

func TestAnOperationThatIsNotInTheModelIsRefused(t *testing.T) {
	if _, err := emit("things", &model{}, []string{"Missing"}); err == nil || !strings.Contains(err.Error(), "Missing") {
		t.Errorf("emit: %v", err)
	}
}
