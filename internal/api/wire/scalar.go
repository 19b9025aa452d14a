package wire

import (
	"encoding/base64"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// The forms of a time on the wire, named as the models do.
const (
	timeISO     = "iso8601"
	timeUnix    = "unixTimestamp"
	timeRFC822  = "rfc822"
	isoSeconds  = "2006-01-02T15:04:05Z"
	isoMillis   = "2006-01-02T15:04:05.000Z"
	rfc822Times = "Mon, 02 Jan 2006 15:04:05 GMT"
)

// errSyntax says that a text is not of the wanted type. The text itself is in the error that names the member.
var errSyntax = errors.New("syntax")

// parseScalar sets v, which is not a pointer, from its text in a form, header, path or query.
func parseScalar(text string, v reflect.Value, timeFormat string) error {
	switch {
	case isTime(v.Type()):
		t, err := parseTime(text, timeFormat)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(t))
		return nil
	case isBlob(v.Type()):
		b, err := base64.StdEncoding.Strict().DecodeString(text)
		v.SetBytes(b)
		return err
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return nil
	case reflect.Bool:
		return parseBool(text, v)
	case reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || strings.HasPrefix(text, "+") {
			return errSyntax
		}
		v.SetInt(n)
		return nil
	case reflect.Float64:
		return parseFloat(text, v)
	}
	panic("wire: " + v.Type().String() + " is not a scalar")
}

func parseBool(text string, v reflect.Value) error {
	switch strings.ToLower(text) {
	case "true":
		v.SetBool(true)
	case "false":
		v.SetBool(false)
	default:
		return errSyntax
	}
	return nil
}

// parseFloat takes decimal numbers only: Go's hexadecimal floats, underscores, Inf and NaN are no numbers to AWS.
func parseFloat(text string, v reflect.Value) error {
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return errSyntax
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return errSyntax
	}
	v.SetFloat(n)
	return nil
}

func parseTime(text, format string) (time.Time, error) {
	switch format {
	case timeUnix:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return time.Time{}, errSyntax
		}
		return fromUnix(n)
	case timeRFC822:
		t, err := time.Parse(time.RFC1123, text)
		return t.UTC(), err
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t.UTC(), err
}

// fromUnix turns seconds with a fraction into a time, to the millisecond as AWS has it.
func fromUnix(seconds float64) (time.Time, error) {
	const year9999 = 253402300799
	if math.IsNaN(seconds) || math.Abs(seconds) > year9999 {
		return time.Time{}, errSyntax
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), nil
}

// formatScalar is the text of a scalar in XML, headers and paths. iso is the protocol's layout of times.
func formatScalar(v reflect.Value, f *field, iso string) string {
	if isTime(v.Type()) {
		t := v.Interface().(time.Time).UTC()
		switch f.timeFormat {
		case timeUnix:
			return unixText(t)
		case timeRFC822:
			return t.Format(rfc822Times)
		}
		return t.Format(iso)
	}
	if isBlob(v.Type()) {
		return base64.StdEncoding.EncodeToString(v.Bytes())
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	panic("wire: " + v.Type().String() + " is not a scalar")
}

func unixText(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
}
