package display

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Screen is a terminal's other screen, drawn anew as a whole: what was on the
// terminal is there again when it is left.
type Screen struct {
	out  io.Writer
	file *os.File // nil: of no terminal, a test's
}

// Enter takes the terminal. Leave it.
func Enter(out io.Writer) (*Screen, error) {
	s := &Screen{out: out}
	if file, ok := out.(*os.File); ok {
		s.file = file
	}
	// Lines do not go on in the next one, or what is drawn would have more of them than
	// it says.
	_, err := io.WriteString(out, "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J")
	return s, err
}

// Leave gives the terminal back.
func (s *Screen) Leave() error {
	_, err := io.WriteString(s.out, "\x1b[?7h\x1b[?25h\x1b[?1049l")
	return err
}

// Size is how many columns and lines there are, 0 where that is not known.
func (s *Screen) Size() (columns, lines int) {
	if s.file == nil {
		return 0, 0
	}
	columns, lines, err := term.GetSize(int(s.file.Fd()))
	if err != nil {
		return 0, 0
	}
	return columns, lines
}

// Draw shows a text, line over line, in one piece where the terminal can: nothing
// flickers. What does not fit is left out at the end.
func (s *Screen) Draw(text string) error {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if _, most := s.Size(); most > 0 && len(lines) > most {
		lines = append(lines[:most-1], "…")
	}
	_, err := io.WriteString(s.out, "\x1b[?2026h\x1b[H"+strings.Join(lines, "\x1b[K\r\n")+"\x1b[K\x1b[J\x1b[?2026l")
	return err
}
