package canon_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/atmcp/atmcp/internal/canon"
)

func TestNumbersThatNoFloatHoldsAreFound(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("9", 309)
	for text, want := range map[string]string{
		`{"a":[1,{"b":-1e400}]}`:           `-1e400`,
		`[1E+309,2e999]`:                   `1E+309`,
		digits:                             digits,
		`-` + digits + `.5`:                `-` + digits + `.5`,
		`[1e308,-1.7976931348623157e308]`:  ``,
		`[1e-400,0e999,0.10,-0]`:           ``,
		digits[1:]:                         ``,
		`0.` + digits:                      ``,
		`{"1e400":"1e400","\"1e400":"\\"}`: ``,
		`["\\",1e400]`:                     `1e400`,
		`[true,false,null]`:                ``,
		``:                                 ``,
		`"1e400`:                           ``,
		`"\`:                               ``,
	} {
		assert.Equal(t, want, canon.Overflow([]byte(text)), text)
	}
}
