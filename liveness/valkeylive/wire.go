package valkeylive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/valkey-io/valkey-go"

	"github.com/atmcp/atmcp/liveness"
)

const (
	// maxValue bounds the text of one beat.
	maxValue = 64 << 10
	// maxName bounds an agent's name and an epoch.
	maxName = 1 << 10
	// maxTTL bounds what is believed of a TTL.
	maxTTL = 366 * 24 * time.Hour
)

// A value is "1 <from> <until> <by> <beat as JSON>": the form's number, when the beat
// arrived and until when it counts, in milliseconds of Valkey's clock, and which Live
// wrote it. The field with the empty name, which no agent has, holds the epoch: a random
// text that goes when the data does, so that a hub sees that what it told is lost.

// replaceForeign drops what stands at the key and is none of ours: no hash, or one with
// far more fields than a team can have agents.
const replaceForeign = `
local kind = redis.call('TYPE', KEYS[1])
if type(kind) == 'table' then kind = kind['ok'] end
if kind ~= 'none' and (kind ~= 'hash' or redis.call('HLEN', KEYS[1]) > 65536) then
  redis.call('DEL', KEYS[1])
end
local t = redis.call('TIME')
`

// writeScript takes an epoch and the writer, then for each agent its name, the beat's
// age, how long it counts (0 to forget it) and the beat. What is younger there stays,
// unless it is of the same writer, who tells one after another, or claims to be from the
// future. It returns the epoch.
const writeScript = replaceForeign + `
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local longest = 1000
redis.call('HSETNX', KEYS[1], '', ARGV[1])
for i = 3, #ARGV, 4 do
  local agent, from, left = ARGV[i], now - ARGV[i + 1], tonumber(ARGV[i + 2])
  local old = redis.call('HGET', KEYS[1], agent)
  local since, by = string.match(old or '', '^1 (%d+) %d+ (%x+) ')
  since = tonumber(since or 0)
  if since <= from or since > now or by == ARGV[2] then
    if left > 0 then
      local head = string.format('1 %.0f %.0f ', from, now + left)
      redis.call('HSET', KEYS[1], agent, head .. ARGV[2] .. ' ' .. ARGV[i + 3])
      longest = math.max(longest, left)
    else
      redis.call('HDEL', KEYS[1], agent)
    end
  end
end
if longest > redis.call('PTTL', KEYS[1]) then redis.call('PEXPIRE', KEYS[1], longest) end
return redis.call('HGET', KEYS[1], '')
`

// readScript returns the time and the whole hash.
const readScript = replaceForeign + `
return {t[1], t[2], redis.call('HGETALL', KEYS[1])}
`

// answer is what Valkey said of a team at a moment.
type answer struct {
	at     time.Time
	epoch  string
	agents map[string]found
	// expired are agents whose time was over; they are no part of agents.
	expired []string
	// garbled are agents of whom it has something that is no beat.
	garbled map[string]bool
	lost    bool // what it was told before is not in it
}

// found is one agent of an answer, as old and with as much time left as it then had.
type found struct {
	beat      liveness.Beat
	by        string
	age, left time.Duration
}

var errNonsense = errors.New("the server's answer is not one to this question")

// readRoster asks for a team in one round trip.
func readRoster(ctx context.Context, c valkey.Client, key string) (*answer, error) {
	parts, err := c.Do(ctx, c.B().Eval().Script(readScript).Numkeys(1).Key(key).Build()).ToArray()
	if err != nil {
		return nil, err
	}
	if len(parts) != 3 {
		return nil, errNonsense
	}
	seconds, err1 := parts[0].AsInt64()
	micros, err2 := parts[1].AsInt64()
	fields, err3 := parts[2].AsStrMap()
	if errors.Join(err1, err2, err3) != nil {
		return nil, errNonsense
	}
	return readFields(fields, seconds*1000+micros/1000), nil
}

// readFields ignores what is not a beat.
func readFields(fields map[string]string, now int64) *answer {
	a := &answer{at: time.Now(), epoch: fields[""], agents: make(map[string]found, len(fields)), garbled: make(map[string]bool)}
	if len(a.epoch) > maxName {
		a.epoch = a.epoch[:maxName]
	}
	for agent, text := range fields {
		if agent == "" || len(agent) > maxName {
			continue
		}
		switch f, ok := readValue(text, now); {
		case !ok:
			a.garbled[agent] = true
		case f.left <= 0:
			a.expired = append(a.expired, agent)
		default:
			a.agents[agent] = f
		}
	}
	return a
}

func readValue(text string, now int64) (found, bool) {
	if len(text) > maxValue+100 {
		return found{}, false
	}
	parts := strings.SplitN(text, " ", 5)
	if len(parts) != 5 || parts[0] != "1" {
		return found{}, false
	}
	from, err1 := strconv.ParseInt(parts[1], 10, 64)
	until, err2 := strconv.ParseInt(parts[2], 10, 64)
	if err1 != nil || err2 != nil || from < 0 || from > now || until < from || until-from > maxTTL.Milliseconds() {
		return found{}, false
	}
	f := found{
		by:   parts[3],
		age:  time.Duration(min(now-from, maxTTL.Milliseconds())) * time.Millisecond,
		left: time.Duration(max(until-now, 0)) * time.Millisecond,
	}
	err := json.Unmarshal([]byte(parts[4]), &f.beat)
	return f, err == nil && f.beat.Progress >= 0 && f.beat.Progress <= 100
}

// writeBeat is a beat as JSON. One whose text is too long for others goes without it.
func writeBeat(b liveness.Beat) string {
	if b.At.Year() < 0 || b.At.Year() > 9999 {
		b.At = time.Time{} // JSON has no such year
	}
	text := encode(b)
	if len(text) > maxValue {
		b.Status, b.Task = "", ""
		text = encode(b)
	}
	return text
}

func encode(b liveness.Beat) string {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(b) // texts, a number and a time with a year that JSON knows
	return strings.TrimSuffix(text.String(), "\n")
}

// writeTeam is the command that tells of some agents of one team.
func (l *Live) writeTeam(c valkey.Client, orders []own, epoch string) valkey.Completed {
	now := time.Now()
	args := make([]string, 0, 2+4*len(orders))
	args = append(args, epoch, l.id)
	for i := range orders {
		o := &orders[i]
		left, text := int64(0), ""
		if !o.gone {
			// At least one: zero would forget it.
			left, text = max(o.deadline.Sub(now).Milliseconds(), 1), writeBeat(o.beat)
		}
		args = append(args, o.agent, number(now.Sub(o.from).Milliseconds()), number(min(left, maxTTL.Milliseconds())), text)
	}
	return c.B().Eval().Script(writeScript).Numkeys(1).Key(l.key(orders[0].team)).Arg(args...).Build()
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
