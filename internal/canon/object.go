package canon

import (
	"bytes"
	"slices"
	"strconv"
)

// member is one member of an object: its name and where in the output it stands,
// as "name":value.
type member struct {
	name     []byte
	from, to int
	at       int // offset of the name in the input
}

// object writes the members as they come and sorts them at the end, if they do
// not stand in order already.
func (p *parser) object() error {
	p.copy(1)
	start := len(p.out)
	var members []member
	for first := true; ; first = false {
		switch c := p.peek(); {
		case c == '}':
			p.pos++
			return p.closeObject(start, members)
		case first:
		case c == ',':
			p.copy(1)
		default:
			return p.fail("no comma or } in an object")
		}
		m, err := p.member()
		if err != nil {
			return err
		}
		members = append(members, m)
	}
}

func (p *parser) member() (member, error) {
	if p.peek() != '"' {
		return member{}, p.fail("no name in an object")
	}
	m := member{from: len(p.out), at: p.pos}
	name, err := p.str()
	if err != nil {
		return member{}, err
	}
	m.name = name
	p.out = appendString(p.out, name)
	if p.peek() != ':' {
		return member{}, p.fail("no colon behind a name")
	}
	p.copy(1)
	if err := p.value(); err != nil {
		return member{}, err
	}
	m.to = len(p.out)
	return m, nil
}

// closeObject puts the members, written from start on, into order.
func (p *parser) closeObject(start int, members []member) error {
	byName := func(a, b member) int { return bytes.Compare(a.name, b.name) }
	sorted := slices.IsSortedFunc(members, byName)
	if !sorted {
		slices.SortStableFunc(members, byName)
	}
	for i := 1; i < len(members); i++ {
		if m := members[i]; bytes.Equal(m.name, members[i-1].name) {
			return &SyntaxError{Offset: m.at, Reason: "duplicate name " + strconv.Quote(string(m.name))}
		}
	}
	if !sorted {
		written := bytes.Clone(p.out[start:])
		p.out = p.out[:start]
		for i, m := range members {
			if i > 0 {
				p.out = append(p.out, ',')
			}
			p.out = append(p.out, written[m.from-start:m.to-start]...)
		}
	}
	p.out = append(p.out, '}')
	return nil
}
