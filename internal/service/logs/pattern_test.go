package logs

import "testing"

func TestFilterPatterns(t *testing.T) {
	const event = `{"status": 404, "ok": false, "note": null, "user": {"name": "alice/b"}, "list": [{"id": 7}], "a-b": "x"}`
	for _, c := range []struct {
		pattern, message string
		want             bool
	}{
		{"", "anything", true},
		{"  ", "anything", true},
		{"ERROR", "an ERROR here", true},
		{"ERROR", "an error here", false},
		{"ERROR disk", "disk: ERROR", true},
		{"ERROR disk", "ERROR", false},
		{`[ip, id, user, time, request, status, bytes]`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, true},
		{`[ip, user, ...]`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, true},
		{`[ip, user]`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, false},
		{`[..., status = 4*, bytes]`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, true},
		{`[..., status = 5*, bytes]`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, false},
		{`[..., status, bytes > 1000]`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, true},
		{`[..., status, bytes > 2000]`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, false},
		{`[ip = 127.* && ip != 127.0.0.2, ...]`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, true},
		{`[ip = "10.*" || ip = %^127%, ...]`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, true},
		{`[ip, id, user = frank, time, request = "GET *", ...]`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, true},
		{`[ip, id, user != frank, ...]`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, false},
		{`%GET /[a-z]+%`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, true},
		{`%^GET%`, `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`, false},
		{`{ $.a = %^x% }`, `{"a":"xy"}`, true},
		{`{ $.a = %^x% && $.b = 1 }`, `{"a":"yx","b":1}`, false},
		{`"disk full"`, "the disk full", true},
		{`"disk full"`, "disk is full", false},
		{`"say \"hi\""`, `they say "hi"`, true},
		{"?ERROR ?WARN", "a WARN", true},
		{"?ERROR ?WARN", "an INFO", false},
		{"ERROR -EXITING", "ERROR now", true},
		{"ERROR -EXITING", "ERROR EXITING", false},
		{`-"not this"`, "this", true},
		{`ERROR -"not this"`, "ERROR not this", false},
		{"Zürich", "in Zürich", true},

		{"{ $.status = 404 }", event, true},
		{"{$.status=404}", event, true},
		{"{ $.status != 404 }", event, false},
		{"{ $.status >= 400 && $.status < 500 }", event, true},
		{"{ $.status > 404 || $.user.name = \"al*\" }", event, true},
		{"{ $.user.name = alice/b }", event, true},
		{"{ $.user.name = \"*/b\" }", event, true},
		{"{ $.user.name = \"a?ice/b\" }", event, false},
		{"{ $.user.name != \"bob\" }", event, true},
		{"{ $.list[0].id = 7 }", event, true},
		{"{ $.list[1].id = 7 }", event, false},
		{"{ $['a-b'] = x }", event, true},
		{"{ $.a-b = x }", event, true},
		{"{ $.note IS NULL }", event, true},
		{"{ $.missing IS NULL }", event, false},
		{"{ $.missing NOT EXISTS }", event, true},
		{"{ $.ok IS FALSE }", event, true},
		{"{ $.ok IS TRUE }", event, false},
		{"{ ($.status = 1 || $.status = 404) && $.ok IS FALSE }", event, true},
		{"{ $.status = 404 }", "not JSON", false},
		{"{ $.status = 404 }", `[404]`, false},
		{"{ $.status = \"404\" }", event, false},
	} {
		match, err := parsePattern(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := match == nil || match(c.message); got != c.want {
			t.Errorf("%s matches %s: got %v, want %v", c.pattern, c.message, got, c.want)
		}
	}
}

func TestPatternsThatAreNotUnderstoodAreRefused(t *testing.T) {
	for _, p := range []string{
		"[a, ..., b, ...]", "[a", "[a > b]", "[a = ]", "[= 1]", "[a = %(%]", "[a = \"x]", "[a, ]", "%(%", "%a", "?a b", "-a ?b", `"open`, "a.b", "-", "?", `"a\`,
		"{", "{}", "{ $.a }", "{ $.a = }", "{ $ = 1 }", "{ $.a = 1 } x", "{ $.a = 1", "{ ($.a = 1 }", "{ $.a = 1 && }",
		"{ $.a[x] = 1 }", "{ $.a[0 = 1 }", "{ $.a = %( % }", "{ $.a > %x% }", "{ $.a = %x }", "{ $.a > b }", "{ $.a = \"b }", "{ $.. = 1 }", "{ $.['a'] = x }",
	} {
		if _, err := parsePattern(p); err == nil {
			t.Errorf("%s: no error", p)
		}
	}
}

func FuzzParsePattern(f *testing.F) {
	f.Add("a -b ?c", "a")
	f.Add(`{ ($.a[0].b = "x*" || $.c NOT EXISTS) && $.d >= 1.5 }`, `{"a":[{"b":"xy"}]}`)
	f.Fuzz(func(t *testing.T, pattern, message string) {
		if match, err := parsePattern(pattern); err == nil && match != nil {
			match(message)
		}
	})
}
