package canon_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/canon"
)

// The ids were computed with the original; existing findings rest on them.
func TestContentIDIsTheOriginals(t *testing.T) {
	t.Parallel()
	for _, v := range []struct {
		title, body string
		tags        []string
		want        string
	}{
		{"DB uses WAL", "SQLite is in WAL mode", []string{"db"}, "06e73e6e8a4729a4c85607fe6a68a43a7eec37321d47ac4db7e6dc409129c91b"},
		{"T", "body", []string{"DB", " Perf ", "db", ""}, "3dd5579ead91ff9dfd995141f1d36ea871f4030e3776ceab841a4316fa432002"},
		{"", "", nil, "83f2575fdd841b24f5af99da4c9096492b34d8a7769440ce4b2029725d1a4e8b"},
		{"A & <b>", "tab\there \u2028 \u007f \b\f /", []string{"x"}, "929c281390efa43f549a9ca9d399f0409b4a958cc33db5b9b9369aba551b24e8"},
		{"héllo", "日本語 😀", []string{"Ünï"}, "cd6a0e2b1447d8addaba475a7d35976aa249e896eb239948f26e4a029ad3b37d"},
		{`q"\`, "line1\nline2\r\u0001", []string{}, "2a240074fa380e578f9bc8d27858711102c812f88a9e7d4e88108b8b66266703"},
	} {
		assert.Equal(t, v.want, canon.ContentID(v.title, v.body, v.tags), "title %q", v.title)

		whole, err := canon.JSON(map[string]any{"title": v.title, "body": v.body, "tags": canon.Tags(v.tags)})
		require.NoError(t, err)
		assert.Equal(t, v.want, canon.Hash(whole), "title %q", v.title)
	}
}

func TestBytesThatAreNotUTF8MakeIDsOfTheirOwn(t *testing.T) {
	t.Parallel()
	assert.NotEqual(t, canon.ContentID("\xff", "", nil), canon.ContentID("\xfe", "", nil))
	assert.NotEqual(t, canon.ContentID("\xff", "", nil), canon.ContentID("\ufffd", "", nil))
}

func TestCompactWritesTheCanonicalForm(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		` null `:                             `null`,
		"\t[ true ,\r\nfalse , [ ] , { } ] ": `[true,false,[],{}]`,
		`{"b":1,"a":{"d":2,"c":[{"z":0,"y":0}]},"":0}`: `{"":0,"a":{"c":[{"y":0,"z":0}],"d":2},"b":1}`,
		`{"a":1, "b":2}`:                         `{"a":1,"b":2}`,
		`{"\u0061b":1,"\"":2}`:                   `{"\"":2,"ab":1}`,
		`{"😀":1,"\uffee":2}`:                     `{"` + "\uffee" + `":2,"😀":1}`, // code points, not UTF-16
		`"\u003c\u003e\u0026\/"`:                 `"<>&/"`,
		`"\u2028\u2029\u007f\u00e9\ud83d\ude00"`: "\"\u2028\u2029\u007fé😀\"",
		`"\u0008\u0009\u000a\u000c\u000d"`:       `"\b\t\n\f\r"`,
		`"\u0000\u001F\u000b"`:                   `"\u0000\u001f\u000b"`,
		`"\"\\\u0022\u005C"`:                     `"\"\\\"\\"`,
		`12345678901234567890123`:                `12345678901234567890123`,
		`[1,1.0,1.00,-0,1e5,1E+5,0.10]`:          `[1,1.0,1.00,-0,1e5,1E+5,0.10]`,
	} {
		got, err := canon.Compact([]byte(in))
		require.NoError(t, err, in)
		assert.Equal(t, want, string(got), in)
	}
}

func TestCompactRefusesWhatIsNotOneCleanValue(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                         "unexpected end at byte 0",
		" ":                        "unexpected end at byte 1",
		"nul":                      "no value at byte 0",
		"\x00":                     "no value at byte 0",
		"\ufeff1":                  "no value at byte 0",
		"1 2":                      "data behind the value at byte 2",
		"1\x00":                    "data behind the value at byte 1",
		"{}{":                      "data behind the value at byte 2",
		`{"a":1,"b":2,"\u0061":3}`: `duplicate name "a" at byte 13`,
		`{"a":{"x":1,"x":1}}`:      `duplicate name "x" at byte 12`,
		`{"a":1,}`:                 "no name in an object at byte 7",
		`{"a" 1}`:                  "no colon behind a name at byte 5",
		`{"a":1 "b":2}`:            "no comma or } in an object at byte 7",
		`{"a":1`:                   "no comma or } in an object at byte 6",
		`{1:1}`:                    "no name in an object at byte 1",
		`[1,]`:                     "no value at byte 3",
		`[1 2]`:                    "no comma or ] in an array at byte 3",
		`[`:                        "unexpected end at byte 1",
		`01`:                       "data behind the value at byte 1",
		`-`:                        "bad number at byte 0",
		`1.`:                       "bad number at byte 0",
		`1e+`:                      "bad number at byte 0",
		`+1`:                       "no value at byte 0",
		`NaN`:                      "no value at byte 0",
		`"abc`:                     "string without end at byte 4",
		`"a\`:                      "bad escape at byte 2",
		`"\x"`:                     "bad escape at byte 1",
		`"\u12g4"`:                 "bad escape at byte 1",
		`"\u+123"`:                 "bad escape at byte 1",
		`"\ud800"`:                 "half a surrogate pair at byte 1",
		`"\ude00\ud83d"`:           "half a surrogate pair at byte 1",
		`"\ud800\u0041"`:           "half a surrogate pair at byte 1",
		"\"a\nb\"":                 "raw control character in a string at byte 2",
		"\"a\xffb\"":               "invalid UTF-8 at byte 2",
		"\"\xed\xa0\x80\"":         "invalid UTF-8 at byte 1",
	} {
		got, err := canon.Compact([]byte(in))
		var syntax *canon.SyntaxError
		require.ErrorAs(t, err, &syntax, "%q", in)
		assert.Equal(t, "canon: "+want, err.Error(), "%q", in)
		assert.Nil(t, got, "%q", in)
	}
}

func TestNestingIsLimited(t *testing.T) {
	t.Parallel()
	nest := func(n int) []byte {
		return []byte(strings.Repeat(`{"a":[`, n/2) + strings.Repeat(`]}`, n/2))
	}
	_, err := canon.Compact(nest(canon.MaxDepth))
	require.NoError(t, err)
	_, err = canon.Compact(nest(canon.MaxDepth + 2))
	require.ErrorContains(t, err, "nested deeper than 64")
	_, err = canon.Compact([]byte(strings.Repeat("[", 1<<20)))
	require.ErrorContains(t, err, "nested deeper than 64")
}

func TestJSONWritesGoValues(t *testing.T) {
	t.Parallel()
	got, err := canon.JSON(struct {
		Z int64           `json:"z"`
		A string          `json:"a"`
		R json.RawMessage `json:"r"`
		N json.Number     `json:"n"`
	}{Z: math.MaxInt64, A: "<é\u2028>", R: json.RawMessage(`{ "y": 1.0, "x": null }`), N: "100000000000000000000"})
	require.NoError(t, err)
	assert.Equal(t, `{"a":"<é`+"\u2028"+`>","n":100000000000000000000,"r":{"x":null,"y":1.0},"z":9223372036854775807}`, string(got))

	_, err = canon.JSON(math.NaN())
	require.Error(t, err)
	_, err = canon.JSON(json.RawMessage(`{"a":1,"a":2}`))
	require.ErrorContains(t, err, "duplicate name")
}

func FuzzCompactSaysTheSameAndTwiceTheSame(f *testing.F) {
	for _, s := range []string{
		`{"b":[1,2.50,{"\u0061":"\ud83d\ude00"}],"a":null}`, `"\u2028</script>"`, `[[[]]]`, `-0e-0`,
		`{"a":1,"\u0061":2}`, "\"\x7f\"", `{"":{"":{}}}`, "1e400", ` [ true , false ] `,
	} {
		f.Add([]byte(s))
	}
	decode := func(t *testing.T, b []byte) (v any) {
		t.Helper()
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.UseNumber()
		require.NoError(t, d.Decode(&v), "%q", b)
		return v
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in := string(raw)
		once, err := canon.Compact(raw)
		require.Equal(t, in, string(raw), "the input was changed")
		if !json.Valid(raw) {
			require.Error(t, err)
		}
		if err != nil {
			return
		}
		twice, err := canon.Compact(once)
		require.NoError(t, err)
		assert.Equal(t, string(once), string(twice))

		want := decode(t, raw)
		assert.Equal(t, want, decode(t, once))
		built, err := canon.JSON(want)
		require.NoError(t, err)
		assert.Equal(t, string(once), string(built))
	})
}

func BenchmarkCompact(b *testing.B) {
	raw := []byte(`{"task_id":"01JD8Q3V7Z","title":"Fix the lease \"race\"","priority":3,"depends_on":["a","b"],"description":"` +
		strings.Repeat("some text\\n", 40) + `"}`)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = canon.Compact(raw)
	}
}
