package diagram

import (
	"strings"
	"unicode"
)

// The sizes of text, in pixels.
const (
	labelSize   = 15
	detailSize  = 12
	boxSize     = 14
	titleSize   = 20
	summarySize = 14
)

// textWidth estimates the width of a line from above: by the widest of the usual sans-serif fonts, in bold.
func textWidth(s string, size int) int {
	thousandths := 0
	for _, r := range s {
		thousandths += advance(r)
	}
	return (thousandths*size + 999) / 1000
}

func advance(r rune) int {
	switch {
	case strings.ContainsRune("ijl.,:;'|!", r):
		return 400
	case strings.ContainsRune("frtI()[] /", r):
		return 510
	case strings.ContainsRune("mwMW@%&", r):
		return 1110
	case r < 128 && unicode.IsUpper(r):
		return 850
	case r < 128:
		return 720
	default:
		return 1400 // any script, and pictures
	}
}

// nameEnds are the characters after which a name may be broken.
const nameEnds = " -_./:,"

// wrap breaks a text into lines that are no wider than a number of pixels, after a separator if there is one.
func wrap(s, separators string, size, width int) []string {
	var lines []string
	rest := []rune(s)
	for len(rest) > 0 {
		n := fitting(rest, separators, size, width)
		line := strings.TrimSpace(string(rest[:n]))
		if line != "" {
			lines = append(lines, line)
		}
		rest = rest[n:]
	}
	return lines
}

// fitting is how many runes go into a line; at least one.
func fitting(text []rune, separators string, size, width int) int {
	used, after := 0, 0
	for i, r := range text {
		used += advance(r) * size
		if used > width*1000 {
			if after > 0 {
				return after
			}
			return max(i, 1)
		}
		if strings.ContainsRune(separators, r) {
			after = i + 1
		}
	}
	return len(text)
}
