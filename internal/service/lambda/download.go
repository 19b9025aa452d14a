package lambda

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
)

const (
	downloadPath = "/_lambda/code/" // no bucket has such a name
	downloadLife = 10 * time.Minute // as AWS's addresses
)

// location is an address from which who may read a function gets its package for a while. It leads to the door that
// the call came through, so that whoever asked can use it.
func (s *Service) location(call *api.Call, key string) *string {
	if call.HTTP == nil {
		return nil
	}
	expires := strconv.FormatInt(call.Time.Add(downloadLife).Unix(), 10)
	scheme := "http"
	if call.Origin.Secure {
		scheme = "https"
	}
	return ptr((&url.URL{
		Scheme: scheme, Host: call.HTTP.Host, Path: downloadPath + key,
		RawQuery: url.Values{"Expires": {expires}, "Signature": {s.downloadSignature(key, expires)}}.Encode(),
	}).String())
}

func (s *Service) downloadSignature(key, expires string) string {
	h := hmac.New(sha256.New, s.downloadKey[:])
	h.Write([]byte(key + " " + expires))
	return hex.EncodeToString(h.Sum(nil))
}

// download answers with a package, to who has its address.
func (s *Service) download(w http.ResponseWriter, call *api.Call) {
	r := call.HTTP
	key, query := strings.TrimPrefix(r.URL.Path, downloadPath), r.URL.Query()
	expires := query.Get("Expires")
	until, err := strconv.ParseInt(expires, 10, 64)
	good := hmac.Equal([]byte(query.Get("Signature")), []byte(s.downloadSignature(key, expires)))
	if r.Method != http.MethodGet && r.Method != http.MethodHead || err != nil || !good || !isKey(key) || call.Time.Unix() > until {
		forbid(w)
		return
	}
	f, err := os.Open(s.config.Code.Path(key) + zipSuffix)
	if err != nil {
		http.Error(w, "The package is gone.", http.StatusNotFound)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/zip")
	http.ServeContent(w, r, "", time.Time{}, f)
}

// forbid refuses a request to an address that was given out, in AWS's words.
func forbid(w http.ResponseWriter) {
	w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
	say(w, http.StatusForbidden, "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html")
}

func say(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"Message":%q}`, message)
}
