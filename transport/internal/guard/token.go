package guard

import (
	"net/http"
	"strings"
)

// Token returns the token that a request shows: the one behind Bearer in
// Authorization, else the header of the given name, which clients use that
// cannot set Authorization. Another scheme is not for us.
func Token(h http.Header, name string) string {
	scheme, token, ok := strings.Cut(h.Get("Authorization"), " ")
	if ok && strings.EqualFold(scheme, "Bearer") {
		if token = strings.TrimSpace(token); token != "" {
			return token
		}
	}
	return strings.TrimSpace(h.Get(name))
}
