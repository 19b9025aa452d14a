package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// canonicalRequest is the text that a signature is about.
func canonicalRequest(r *http.Request, c *claim, style Style, payloadHash string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n")
	b.WriteString(canonicalPath(r.URL, style) + "\n")
	b.WriteString(canonicalQuery(r.URL.RawQuery, c.presigned) + "\n")
	for _, name := range c.signedHeaders {
		b.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(c.signedHeaders, ";") + "\n")
	b.WriteString(payloadHash)
	return b.String()
}

// canonicalPath encodes the path: for S3 once and as it is, for others twice and without dots and double slashes.
func canonicalPath(u *url.URL, style Style) string {
	path := u.EscapedPath()
	if path == "" {
		return "/"
	}
	if style != S3 {
		return encode(normalise(path), true)
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if plain, err := url.PathUnescape(s); err == nil { // an error cannot be: the path was parsed
			segments[i] = encode(plain, false)
		}
	}
	return strings.Join(segments, "/")
}

// normalise removes empty and dot segments; see RFC 3986, 5.2.4. A slash at the end stays.
func normalise(path string) string {
	var kept []string
	for s := range strings.SplitSeq(path, "/") {
		switch s {
		case "", ".":
		case "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
		default:
			kept = append(kept, s)
		}
	}
	out := "/" + strings.Join(kept, "/")
	if strings.HasSuffix(path, "/") && out != "/" {
		out += "/"
	}
	return out
}

// canonicalQuery encodes and orders the parameters. The signature itself cannot be part of what it signs.
func canonicalQuery(raw string, presigned bool) string {
	type pair struct{ name, value string }
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		p := pair{recode(name), recode(value)}
		if !presigned || p.name != "X-Amz-Signature" {
			pairs = append(pairs, p)
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	b.Grow(len(raw) + len(raw)/4)
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name)
		b.WriteByte('=')
		b.WriteString(p.value)
	}
	return b.String()
}

// recode brings a part of a query into the one encoding that signatures use.
func recode(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		plain = s // parse has refused such a query before
	}
	return encode(plain, false)
}

// canonicalHeader is a header's value: all lines, trimmed, inner spaces reduced to one.
func canonicalHeader(r *http.Request, name string) string {
	values := r.Header.Values(name)
	switch {
	case name == "host":
		values = []string{r.Host}
	case len(values) > 0:
	case name == "content-length" && r.ContentLength >= 0: // net/http takes these two out
		values = []string{strconv.FormatInt(r.ContentLength, 10)}
	case name == "transfer-encoding":
		values = r.TransferEncoding
	}
	var trimmed []string
	for _, v := range values {
		trimmed = append(trimmed, strings.Join(strings.FieldsFunc(v, func(c rune) bool { return c == ' ' }), " "))
	}
	return strings.Join(trimmed, ",")
}

// encode escapes all but the unreserved characters of RFC 3986, and slashes if they stay.
func encode(s string, slashes bool) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s) + len(s)/4)
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~', c == '/' && slashes:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
	return b.String()
}
