package httpapi

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/atmcp/atmcp"
)

// query reads the parameters of a URL and gathers what is wrong with them. What is
// absent or empty is as if nobody had said it.
type query struct {
	values   url.Values
	asked    map[string]bool
	waits    bool // the call wants to wait
	problems mistyped
}

// query returns the reader of the call's parameters, the same each time. A parameter
// that cannot be read is wrong: without it a filter would let everything through. What
// it was is not repeated, as it may be a token.
func (c *call) query() *query {
	if c.params == nil {
		values, err := url.ParseQuery(c.r.URL.RawQuery)
		c.params = &query{values: values, asked: make(map[string]bool)}
		if err != nil {
			c.params.problems = mistyped{{Type: "query_invalid", Loc: []string{"query"}, Msg: "write % as %25 and ; as %3B"}}
		}
	}
	return c.params
}

// err is what is wrong with the parameters, all of it.
func (q *query) err() error {
	if len(q.problems) == 0 {
		return nil
	}
	return q.problems
}

func (q *query) text(name string) string {
	q.asked[name] = true
	return q.values.Get(name)
}

// wrong notes a parameter that is not of a kind, as the original's framework calls it.
func (q *query) wrong(name, kind, want string) {
	q.problems = append(q.problems, mistake{kind, []string{"query", name}, "give " + want, fmt.Sprintf("%.40s", q.values.Get(name))})
}

// number returns an integer, 0 where there is none.
func (q *query) number(name string) int {
	text := q.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 54)
	if err != nil {
		q.wrong(name, "int_parsing", "an integer")
	}
	return int(n)
}

// position returns a number of an event or of a chunk, 0 where there is none.
func (q *query) position(name string) atmcp.Seq {
	n := q.number(name)
	if n < 0 {
		q.wrong(name, "greater_than_equal", "0 or more")
		return 0
	}
	return atmcp.Seq(n)
}

// since is position for what has been seen: what is below 0 is 0, as the original took it.
func (q *query) since(name string) atmcp.Seq { return atmcp.Seq(max(0, q.number(name))) }

// cursor reads the first of the parameters that there is, and returns nil without.
func (q *query) cursor(read func(name string) atmcp.Seq, names ...string) *atmcp.Seq {
	for _, name := range names {
		if q.text(name) != "" {
			return new(read(name))
		}
	}
	return nil
}

// flag returns a boolean, false where there is none.
func (q *query) flag(name string) bool {
	text := q.text(name)
	if text == "" {
		return false
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		q.wrong(name, "bool_parsing", "true or false")
	}
	return b
}

// wait returns how long to wait: milliseconds, cut to what calls wait at most.
func (q *query) wait() time.Duration {
	ms := min(q.position("wait_ms"), atmcp.Seq(atmcp.MaxToolWait/time.Millisecond))
	q.waits = ms > 0
	return time.Duration(ms) * time.Millisecond
}

// listing returns what all lists take.
func (q *query) listing() atmcp.Listing {
	l := atmcp.Listing{Cursor: q.text("cursor"), View: q.text("view"), MaxBytes: q.number("max_bytes")}
	if l.View != "" && l.View != atmcp.ViewFull && l.View != atmcp.ViewBrief {
		q.wrong("view", "literal_error", "full or brief")
	}
	return l
}

// admitQuery tells what is wrong with the parameters, and counts the call among the
// waits if it wants to wait.
func (c *call) admitQuery() error {
	if err := c.query().err(); err != nil || !c.query().waits {
		return err
	}
	c.lasts = true
	return c.counted.Wait()
}

// answer replies with what a read of the team returns, unless the parameters are
// wrong. The request is read before.
func answer[Q, R any](c *call, req Q, read func(*call, Q) (R, error)) error {
	if err := c.admitQuery(); err != nil {
		return err
	}
	return c.finish(read(c, req))
}
