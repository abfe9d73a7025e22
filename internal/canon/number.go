package canon

import (
	"math"
	"strconv"
)

// Overflow returns the first number of a JSON text that is larger than any float64,
// "" without one. Most programs read numbers into a float64: they refuse the whole text
// in which such a one stands, or take it for infinity, which they cannot write again.
func Overflow(text []byte) string {
	for at := 0; at < len(text); {
		switch c := text[at]; {
		case c == '"':
			at = pastString(text, at)
		case c == '-' || isDigit(c):
			from := at
			for at < len(text) && isOfNumber(text[at]) {
				at++
			}
			if number := text[from:at]; isHuge(number) {
				return string(number)
			}
		default:
			at++
		}
	}
	return ""
}

// pastString returns where the string that begins at a quotation mark is over.
func pastString(text []byte, at int) int {
	for at++; at < len(text) && text[at] != '"'; at++ {
		if text[at] == '\\' {
			at++
		}
	}
	return at + 1
}

func isOfNumber(c byte) bool {
	return isDigit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// digitsOfMax is how many digits math.MaxFloat64 has. What has fewer bytes and no
// exponent is smaller.
const digitsOfMax = 309

func isHuge(number []byte) bool {
	mayBe := len(number) >= digitsOfMax
	for i := 0; i < len(number) && !mayBe; i++ {
		mayBe = number[i] == 'e' || number[i] == 'E'
	}
	if !mayBe {
		return false
	}
	f, _ := strconv.ParseFloat(string(number), 64) // it gives infinity with its error
	return math.IsInf(f, 0)
}
