package httpapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/atmcp/atmcp/transport/internal/guard"
)

// mistyped is what is wrong with the parameters of a query, or with a body that is no
// JSON object. The original's framework looks at these before any route does, and answers
// 422 with a list; clients that know it look for that. What stands in an object is the
// route's own, whose answer is 400 with a text.
type mistyped []mistake

// mistake is one entry of the list, with the names that the framework has.
type mistake struct {
	Type  string   `json:"type"`
	Loc   []string `json:"loc"` // "query" and the parameter, or "body"
	Msg   string   `json:"msg"`
	Input string   `json:"input,omitempty"` // as it came, cut short
}

func (m mistyped) Error() string {
	var all []string
	for _, x := range m {
		all = append(all, strings.Join(x.Loc, " ")+": "+x.Msg)
	}
	return strings.Join(all, "; ")
}

// ofBody is the error of a body that was read, nil of none.
func ofBody(err error) error {
	refused, ok := errors.AsType[*guard.BodyError](err)
	switch {
	case err == nil || (ok && refused.Status != http.StatusUnprocessableEntity):
		return err
	case ok:
		return mistyped{{Type: "json_invalid", Loc: []string{"body"}, Msg: err.Error()}}
	default:
		return mistyped{{Type: "dict_type", Loc: []string{"body"}, Msg: err.Error()}}
	}
}
