package logs

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

func invalidToken() error { return invalid("The specified nextToken is invalid.") }

// encodeToken makes a token that says where the next page begins.
func encodeToken[T any](v T) *string {
	b, _ := json.Marshal(v) // plain data always encodes
	return ptr(base64.RawURLEncoding.EncodeToString(b))
}

// decodeToken reads a token of encodeToken; nil for none.
func decodeToken[T any](token *string) (*T, error) {
	if token == nil {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil {
		return nil, invalidToken()
	}
	v := new(T)
	if json.Unmarshal(b, v) != nil {
		return nil, invalidToken()
	}
	return v, nil
}

// The tokens of GetLogEvents look as AWS's do: f/ or b/, 56 digits, /s. The digits are a time and a number.
const tokenHalf = 28

func encodeStreamToken(direction string, p position) *string {
	return ptr(fmt.Sprintf("%s/%0*d%0*d/s", direction, tokenHalf, p.Timestamp, tokenHalf, p.Seq))
}

func decodeStreamToken(token, stream string) (direction string, p position, err error) {
	direction, rest, _ := strings.Cut(token, "/")
	digits, ok := strings.CutSuffix(rest, "/s")
	if !ok || len(digits) != 2*tokenHalf || (direction != "f" && direction != "b") {
		return "", position{}, invalidToken()
	}
	timestamp, err1 := strconv.ParseInt(digits[:tokenHalf], 10, 64)
	seq, err2 := strconv.ParseInt(digits[tokenHalf:], 10, 64)
	if err1 != nil || err2 != nil || timestamp < 0 || seq < 0 {
		return "", position{}, invalidToken()
	}
	return direction, position{timestamp, stream, seq}, nil
}

func pageSize(limit *int64, most int) int {
	if n := int(value(limit)); n > 0 && n < most {
		return n
	}
	return most
}
