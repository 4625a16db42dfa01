package transport

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// envelope is Graph's error answer. Every part of it may be absent, and
// innerError may be spelled innererror (encoding/json ignores case).
type envelope struct {
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Details []struct {
			Code   string `json:"code"`
			Target string `json:"target"`
		} `json:"details"`
		Inner struct {
			RequestID string `json:"request-id"`
			Code      string `json:"code"`
		} `json:"innerError"`
	} `json:"error"`
}

// Refusal reads Graph's error from any body: a proper envelope, {}, HTML,
// nothing. at is when Graph answered, details are its further codes.
func Refusal(status int, h http.Header, body []byte, at time.Time) (u problem.Upstream, details []string) {
	u = problem.Upstream{Status: status, RequestID: h.Get("request-id"), RetryAfter: retryAfter(h, at)}
	var e envelope
	if json.Unmarshal(body, &e) != nil || e.Error == nil {
		return u, nil
	}
	u.Code, u.Message = e.Error.Code, e.Error.Message
	if u.RequestID == "" {
		u.RequestID = e.Error.Inner.RequestID
	}
	if e.Error.Inner.Code != "" {
		details = append(details, e.Error.Inner.Code)
	}
	for _, d := range e.Error.Details {
		if u.Target == "" {
			u.Target = d.Target
		}
		details = append(details, d.Code)
	}
	return u, details
}

// retryAfter reads the pause asked for: seconds (also with a fraction, which is
// rounded up) or a date, which is compared with the time of the answer so that
// this machine's clock does not matter.
func retryAfter(h http.Header, at time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		d := time.Duration(min(max(s, 0), 1e6) * float64(time.Second))
		return (d + time.Second - 1).Truncate(time.Second)
	}
	if until, err := http.ParseTime(v); err == nil {
		return max(until.Sub(at), 0)
	}
	return 0
}
