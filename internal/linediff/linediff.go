// Package linediff tells how one text became another, by lines.
package linediff

// Op says what became of a line.
type Op string

// What becomes of lines.
const (
	Same    Op = " "
	Added   Op = "+"
	Removed Op = "-"
)

// Line is a line of a hunk.
type Line struct {
	Op   Op     `json:"op"`
	Text string `json:"text"`
}

// Hunk is a place where the texts differ, with up to three lines around it that do not.
type Hunk struct {
	FromLine  int    `json:"from_line"` // of the first line, from 1
	FromLines int    `json:"from_lines"`
	ToLine    int    `json:"to_line"`
	ToLines   int    `json:"to_lines"`
	Lines     []Line `json:"lines"`
}

// context is how many equal lines stand around a change.
const context = 3

// maxChanges bounds the search for the fewest changes, whose cost grows with their
// square. What differs more is shown as removed whole and added whole.
const maxChanges = 1000

// Diff returns the hunks that make b of a. Of all ways it takes one with the fewest
// changes.
func Diff(a, b []string) []Hunk {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	script := make([]Line, 0, len(a)+len(b))
	for _, text := range a[:head] {
		script = append(script, Line{Same, text})
	}
	script = append(script, between(a[head:len(a)-tail], b[head:len(b)-tail])...)
	for _, text := range a[len(a)-tail:] {
		script = append(script, Line{Same, text})
	}
	return hunks(script)
}

// between is Myers' search for the shortest script, forward and then back along the way
// that it came.
func between(a, b []string) []Line {
	n, m := len(a), len(b)
	most := min(n+m, maxChanges)
	reach := make([]int, 2*most+2) // by diagonal: how far of a
	at := func(k int) int { return k + most }
	var trace [][]int
	for d := 0; d <= most; d++ {
		trace = append(trace, append([]int(nil), reach[at(-d):at(d)+2]...))
		for k := -d; k <= d; k += 2 {
			x := 0
			if k == -d || (k != d && reach[at(k-1)] < reach[at(k+1)]) {
				x = reach[at(k+1)]
			} else {
				x = reach[at(k-1)] + 1
			}
			for x < n && x-k < m && a[x] == b[x-k] {
				x++
			}
			if reach[at(k)] = x; x >= n && x-k >= m {
				return back(a, b, trace)
			}
		}
	}
	return replaced(a, b)
}

// back walks the found way from its end.
func back(a, b []string, trace [][]int) []Line {
	var script []Line
	x, y := len(a), len(b)
	for d := len(trace) - 1; d > 0; d-- {
		reach := func(k int) int { return trace[d][k+d] } // as it was before step d
		k := x - y
		from := k - 1
		if k == -d || (k != d && reach(k-1) < reach(k+1)) {
			from = k + 1
		}
		fromX := reach(from)
		fromY := fromX - from
		for x > fromX && y > fromY {
			x, y = x-1, y-1
			script = append(script, Line{Same, a[x]})
		}
		if from == k+1 {
			y--
			script = append(script, Line{Added, b[y]})
		} else {
			x--
			script = append(script, Line{Removed, a[x]})
		}
	}
	for ; x > 0; x-- {
		script = append(script, Line{Same, a[x-1]})
	}
	for i, j := 0, len(script)-1; i < j; i, j = i+1, j-1 {
		script[i], script[j] = script[j], script[i]
	}
	return script
}

func replaced(a, b []string) []Line {
	script := make([]Line, 0, len(a)+len(b))
	for _, text := range a {
		script = append(script, Line{Removed, text})
	}
	for _, text := range b {
		script = append(script, Line{Added, text})
	}
	return script
}

// hunks cuts a script where more than twice the context is the same.
func hunks(script []Line) []Hunk {
	list := []Hunk{}
	from, to := 1, 1 // the next line of each text
	for i := 0; i < len(script); {
		begin, end := stretch(script, i)
		if begin == end {
			break
		}
		for _, line := range script[i:begin] {
			from, to = step(line, from, to)
		}
		h := Hunk{FromLine: from, ToLine: to, Lines: script[begin:end]}
		for _, line := range h.Lines {
			from, to = step(line, from, to)
		}
		h.FromLines, h.ToLines = from-h.FromLine, to-h.ToLine
		list = append(list, h)
		i = end
	}
	return list
}

// step goes past a line.
func step(line Line, from, to int) (nextFrom, nextTo int) {
	if line.Op != Added {
		from++
	}
	if line.Op != Removed {
		to++
	}
	return from, to
}

// stretch returns where the next hunk begins and ends, from i on.
func stretch(script []Line, i int) (begin, end int) {
	first := i
	for first < len(script) && script[first].Op == Same {
		first++
	}
	if first == len(script) {
		return 0, 0
	}
	last := first
	for j := first; j < len(script) && j-last <= 2*context+1; j++ {
		if script[j].Op != Same {
			last = j
		}
	}
	return max(i, first-context), min(len(script), last+1+context)
}
