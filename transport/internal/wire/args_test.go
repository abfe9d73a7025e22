package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/transport/internal/wire"
)

func parse(t *testing.T, raw string) *wire.Args {
	t.Helper()
	in, err := wire.Parse([]byte(raw))
	require.NoError(t, err)
	return in
}

func TestArgumentsAreRead(t *testing.T) {
	t.Parallel()
	in := parse(t, `{"s":"x","n":-5,"b":true,"l":["a","b"],"o":{"z":1,"a":[2]},"v":9007199254740993,"whole":3.0}`)
	assert.Equal(t, "x", in.Text("s"))
	assert.Equal(t, -5, wire.Int[int](in, "n"))
	assert.Equal(t, 3, wire.Int[int](in, "whole"), "a schema's integer may be written 3.0")
	assert.True(t, in.Bool("b"))
	assert.Equal(t, []string{"a", "b"}, wire.Strings[string](in, "l"))
	assert.JSONEq(t, `{"a":[2],"z":1}`, string(in.Object("o")))
	assert.Equal(t, `9007199254740993`, string(in.Value("v")), "all digits are kept")
	require.NoError(t, in.Err())
	assert.Empty(t, in.Ignored())
}

func TestAbsentAndNullAreTheSameForOptionalArguments(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{``, `null`, `{}`, `{"s":null,"n":null,"b":null,"l":null,"o":null}`} {
		in := parse(t, raw)
		assert.Equal(t, "def", in.TextOr("s", "def"))
		assert.Nil(t, wire.OptText[string](in, "s"))
		assert.Equal(t, 7, wire.IntOr(in, "n", 7))
		assert.Nil(t, wire.OptInt[uint64](in, "n"))
		assert.False(t, in.Bool("b"))
		assert.Nil(t, in.OptBool("b"))
		assert.Nil(t, wire.Strings[string](in, "l"))
		assert.Nil(t, in.Object("o"))
		require.NoError(t, in.Err(), raw)
	}
	in := parse(t, `{"v":null}`)
	assert.Equal(t, "null", string(in.Value("v")), "for any value null is one")
	require.NoError(t, in.Err())
}

func TestJSONTextIsUnpackedWhereAListOrAnObjectIsWantedAndStaysTextElsewhere(t *testing.T) {
	t.Parallel()
	in := parse(t, `{"l":"[\"a\"]","o":"{\"k\":1}","none":"null","s":"[1]","t":"null","v":"[1]"}`)
	assert.Equal(t, []string{"a"}, wire.Strings[string](in, "l"))
	assert.Equal(t, `{"k":1}`, string(in.Object("o")))
	assert.Nil(t, in.Object("none"))
	assert.Equal(t, "[1]", in.Text("s"))
	assert.Equal(t, "null", in.Text("t"))
	assert.Equal(t, `"[1]"`, string(in.Value("v")))
	require.NoError(t, in.Err())
}

func TestEveryProblemIsToldAtOnceWithWhatToChange(t *testing.T) {
	t.Parallel()
	in := parse(t, `{"s":5,"f":1.5,"q":"12","big":18446744073709551616,"neg":-1,"b":"yes","l":{"a":1},"item":["a",3],"o":[1],"text":"{","e":1e3}`)
	in.Text("missing")
	in.Text("s")
	wire.Int[int](in, "f")
	wire.Int[int](in, "q")
	wire.Int[int](in, "big")
	wire.Int[uint64](in, "neg")
	wire.Int[int](in, "e")
	wire.Int[int](in, "l")
	in.Bool("b")
	wire.Strings[string](in, "l")
	wire.Strings[string](in, "item")
	in.Object("o")
	in.Object("text")
	in.Value("nothing")
	err := in.Err()
	require.Error(t, err)
	for _, want := range []string{
		`missing is missing: give a string`,
		`s is a number (5): give a string`,
		`f is 1.5: give an integer`,
		`q is the text "12": give the number 12, without quotation marks`,
		`big is 18446744073709551616: give an integer from -9007199254740992 to 9007199254740992`,
		`neg is -1: give an integer from 0 to`,
		`e is 1e3: give an integer, written in digits`,
		`l is an object ({"a":1}): give an integer`,
		`b is a string ("yes"): give true or false`,
		`l is an object ({"a":1}): give a list of strings`,
		`item[1] is a number (3): give a string`,
		`o is a list ([1]): give an object`,
		`text is a string ("{"): give an object`,
		`nothing is missing: give any JSON value`,
	} {
		assert.ErrorContains(t, err, want)
	}
	text, ok := wire.Invalid(err)
	assert.True(t, ok)
	assert.Equal(t, err.Error(), text)
}

func TestAChoiceIsOneOfItsWords(t *testing.T) {
	t.Parallel()
	in := parse(t, `{"view":"brief","bad":"`+strings.Repeat("x", 1000)+`"}`)
	assert.Equal(t, "brief", in.Choice("view", "full", "brief"))
	assert.Equal(t, "full", in.Choice("none", "full", "brief"))
	require.NoError(t, in.Err())
	in.Choice("bad", "full", "brief")
	require.ErrorContains(t, in.Err(), "give one of full, brief")
	assert.Less(t, len(in.Err().Error()), 100)
}

func TestTextsThatParsersReadDifferentlyAreRefused(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"a":1,"a":2}`:          `duplicate name "a"`,
		`{"a":1,"\u0061":2}`:     `duplicate name "a"`,
		`{"a":1} {"b":2}`:        `data behind`,
		`[1]`:                    `must be a JSON object`,
		`"{}"`:                   `not a string`,
		`{"a":`:                  `unexpected end`,
		"{\"a\":\"\xff\"}":       `invalid UTF-8`,
		`{"a":"\ud800"}`:         `byte`,
		nest(33):                 `nested 33 deep`,
		nest(1000):               `nested deeper than 64`,
		`{"a":"` + "\x00" + `"}`: `control character`,
	} {
		_, err := wire.Parse([]byte(raw))
		assert.ErrorContains(t, err, want, shorten(raw))
	}
	_, err := wire.Parse([]byte(nest(32)))
	require.NoError(t, err)
}

func TestNamesAreReadByTheLetter(t *testing.T) {
	t.Parallel()
	in := parse(t, `{"Title":"x","title ":"y","tit\u0131e":"z"}`)
	in.Text("title")
	require.ErrorContains(t, in.Err(), "title is missing")
	assert.Len(t, in.Ignored(), 3)
}

func TestIgnoredArgumentsAreNamedInOrderAndWithinBounds(t *testing.T) {
	t.Parallel()
	in := parse(t, `{"b":1,"a":null,"used":2}`)
	wire.Int[int](in, "used")
	assert.Equal(t, []string{"a", "b"}, in.Ignored())

	var many []string
	for i := range 1000 {
		many = append(many, `"`+strings.Repeat("x", 100)+strings.Repeat("y", i)+`":1`)
	}
	names := parse(t, "{"+strings.Join(many, ",")+"}").Ignored()
	assert.Len(t, names, 17)
	assert.Less(t, len(strings.Join(names, "")), 1200)
}

func nest(deep int) string {
	return strings.Repeat(`{"a":`, deep-1) + `{}` + strings.Repeat(`}`, deep-1)
}

func shorten(s string) string { return s[:min(len(s), 40)] }

func FuzzArguments(f *testing.F) {
	for _, raw := range []string{``, `{"s":"x","n":1,"l":["a"],"o":{}}`, `{"s":"\ud83d\ude00","l":"[\"a\"]"}`, nest(40)} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := wire.Parse(raw)
		if err != nil {
			return
		}
		in.Text("s")
		wire.Int[int](in, "n")
		wire.Strings[string](in, "l")
		in.Object("o")
		in.OptBool("b")
		in.Value("v")
		_ = in.Err()
		in.Ignored()
	})
}
