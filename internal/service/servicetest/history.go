package servicetest

import (
	"encoding/json"
	"encoding/xml"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// history makes many calls one after the other, which use what earlier answers said: ids, names, addresses. So
// the state becomes what no table of a test holds, and still nothing may fail. The calls are the same each time.
func history(t *testing.T, r *region) {
	const calls = 3000
	h := &memory{random: rand.New(rand.NewPCG(1, 2)), said: map[string][]string{}}
	done := 0
	for i := range calls {
		o := r.definition.Operations[h.random.IntN(len(r.definition.Operations))]
		members := rapid.Custom(func(t *rapid.T) map[string]any { return drawMembers(t, o.NewInput()) }).Example(i)
		delete(members, "DryRun")
		a := r.do(t, r.newRequest(o, h.recall(members)), operator)
		if a.status == http.StatusInternalServerError {
			t.Errorf("call %d, %s of %v: got %d %s: %s", i, o.Name, members, a.status, a.code, r.lastError())
		}
		if a.status < http.StatusMultipleChoices {
			done++
			h.learn(a)
		}
	}
	t.Logf("%d of %d calls succeeded, revision %d", done, calls, r.store.View().Revision())
}

// memory is what answers said, by the name of the member in lower case.
type memory struct {
	random *rand.Rand
	said   map[string][]string
}

// recall replaces most texts by what was said before under the same name.
func (h *memory) recall(members map[string]any) map[string]any {
	for _, name := range sortedKeys(members) {
		m := members[name].(member)
		m.value = h.replace(strings.ToLower(name), m.value)
		members[name] = m
	}
	return members
}

func (h *memory) replace(name string, v any) any {
	switch v := v.(type) {
	case string:
		return h.text(name, v)
	case []any:
		for i := range v {
			v[i] = h.replace(name, v[i])
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			if _, isMember := v[key].(member); !isMember {
				return v
			}
		}
		return h.recall(v)
	}
	return v
}

func (h *memory) text(name, drawn string) string {
	said := h.said[name]
	if good := goodTexts(name); good != nil && (len(said) == 0 || h.random.IntN(2) == 0) {
		said = good
	}
	if len(said) == 0 || h.random.IntN(5) == 0 {
		return drawn
	}
	return said[h.random.IntN(len(said))]
}

// goodTexts are texts that a member of this name, in lower case, can be glad of; nil if nothing is known.
func goodTexts(name string) []string {
	switch {
	case strings.Contains(name, "cidr"):
		return []string{"10.0.0.0/16", "10.0.1.0/24", "10.0.2.0/28", "172.16.0.0/16", "0.0.0.0/0"}
	case strings.Contains(name, "document"):
		return []string{
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`,
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`,
		}
	case strings.Contains(name, "name"):
		return []string{"one", "two", "three"}
	}
	return nil
}

// learn remembers the texts of an answer.
func (h *memory) learn(a answer) {
	if strings.Contains(a.contentType, "xml") {
		h.learnXML(a.body)
		return
	}
	var v any
	if json.Unmarshal([]byte(a.body), &v) == nil {
		h.learnJSON("", v)
	}
}

func (h *memory) learnXML(body string) {
	d := xml.NewDecoder(strings.NewReader(body))
	name, text := "", ""
	for {
		token, err := d.Token()
		if err != nil {
			return
		}
		switch e := token.(type) {
		case xml.StartElement:
			name, text = e.Name.Local, ""
		case xml.CharData:
			text = string(e)
		case xml.EndElement:
			if e.Name.Local == name {
				h.remember(name, text)
			}
			name = ""
		}
	}
}

func (h *memory) learnJSON(name string, v any) {
	switch v := v.(type) {
	case string:
		h.remember(name, v)
	case []any:
		for _, x := range v {
			h.learnJSON(name, x)
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			h.learnJSON(key, v[key])
		}
	}
}

// remember keeps the last texts of a name.
func (h *memory) remember(name, text string) {
	const most = 40
	name = strings.ToLower(name)
	said := append(h.said[name], text)
	h.said[name] = said[max(0, len(said)-most):]
}
