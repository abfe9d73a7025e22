package relevance_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// perKind is how many known-item queries there are of each kind.
const perKind = 1000

// knownItems makes queries from findings, each answered by the one that it was made
// from. The same corpus gives the same queries.
func knownItems(corpus []finding) []query {
	k := known{corpus: corpus, random: rand.New(rand.NewPCG(20, 26)), df: make(map[string]int), idf: make(map[string]int)}
	for _, f := range corpus {
		count(k.df, plain(f.Body))
		count(k.idf, identifiers(f.Title+" "+f.Body))
	}
	var all []query
	for _, kind := range []struct {
		name string
		make func(finding) string
	}{
		{"words", k.words},
		{"inflections", k.inflections},
		{"typos", k.typos},
		{"identifiers", func(f finding) string { return k.identifier(f) }},
		{"identifiers, respelled", func(f finding) string { return respelled(k.identifier(f), k.random.IntN(3)) }},
		{"identifier parts", func(f finding) string { return strings.Join(humps(k.identifier(f)), " ") }},
	} {
		for n := 0; n < perKind; {
			f := corpus[k.random.IntN(len(corpus))]
			if text := kind.make(f); text != "" {
				all = append(all, query{id: fmt.Sprint(kind.name, n), kind: kind.name, text: text, grades: map[string]int{f.ID: 1}})
				n++
			}
		}
	}
	return all
}

type known struct {
	corpus  []finding
	random  *rand.Rand
	df, idf map[string]int // findings with a word, and with an identifier
}

func count(to map[string]int, words []string) {
	slices.Sort(words)
	for _, w := range slices.Compact(words) {
		to[w]++
	}
}

// plain returns the lower-case words of a text that could stand in prose.
func plain(text string) (words []string) {
	for _, w := range strings.Fields(text) {
		w = strings.TrimRight(strings.TrimLeft(w, `("'`), `.,;:)"'`)
		if len(w) >= 4 && strings.IndexFunc(w, func(r rune) bool { return r < 'a' || r > 'z' }) < 0 {
			words = append(words, w)
		}
	}
	return words
}

// words picks three words of a finding that are not in every other one.
func (k *known) words(f finding) string { return strings.Join(k.three(f, 4), " ") }

func (k *known) three(f finding, shortest int) []string {
	var rare []string
	for _, w := range plain(f.Body) {
		if len(w) >= shortest && k.df[w] < len(k.corpus)/50 && !slices.Contains(rare, w) {
			rare = append(rare, w)
		}
	}
	if len(rare) < 3 {
		return nil
	}
	k.random.Shuffle(len(rare), func(i, j int) { rare[i], rare[j] = rare[j], rare[i] })
	return rare[:3]
}

// inflections writes each of three words in another form.
func (k *known) inflections(f finding) string {
	words := k.three(f, 5)
	for i, w := range words {
		switch {
		case strings.HasSuffix(w, "ies"):
			words[i] = w[:len(w)-3] + "y"
		case strings.HasSuffix(w, "ing"):
			words[i] = w[:len(w)-3] + "ed"
		case strings.HasSuffix(w, "ed"):
			words[i] = w[:len(w)-2] + "ing"
		case strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") && !strings.HasSuffix(w, "is"):
			words[i] = w[:len(w)-1]
		case strings.HasSuffix(w, "y") || strings.HasSuffix(w, "s") || strings.HasSuffix(w, "x") || strings.HasSuffix(w, "ly"):
			return ""
		default:
			words[i] = w + "s"
		}
	}
	return strings.Join(words, " ")
}

// typos mistypes one of three words: a letter that is left out, doubled, exchanged with
// its neighbour or replaced, anywhere but at the beginning.
func (k *known) typos(f finding) string {
	words := k.three(f, 6)
	if words == nil {
		return ""
	}
	w := []byte(words[0])
	at := 1 + k.random.IntN(len(w)-2)
	switch k.random.IntN(4) {
	case 0:
		w = slices.Delete(w, at, at+1)
	case 1:
		w = slices.Insert(w, at, w[at])
	case 2:
		w[at], w[at+1] = w[at+1], w[at]
	default:
		w[at] = 'a' + byte(k.random.IntN(26))
	}
	if k.df[string(w)] > 0 {
		return "" // another word, or the same
	}
	words[0] = string(w)
	return strings.Join(words, " ")
}

var identifierRE = regexp.MustCompile(`\b[A-Za-z]+[a-z][A-Z][A-Za-z]+\b|\b[a-z]+(?:_[a-z]+)+\b`)

// identifiers returns the names of a text that are written of several words.
func identifiers(text string) []string { return identifierRE.FindAllString(text, -1) }

// identifier picks one that few findings have.
func (k *known) identifier(f finding) string {
	var rare []string
	for _, name := range identifiers(f.Title + " " + f.Body) {
		if k.idf[name] <= 4 && len(humps(name)) > 1 {
			rare = append(rare, name)
		}
	}
	if len(rare) == 0 {
		return ""
	}
	return rare[k.random.IntN(len(rare))]
}

// humps returns the words of an identifier, in lower case.
func humps(name string) []string {
	var out []string
	for _, piece := range strings.Split(name, "_") {
		start := 0
		runes := []rune(piece)
		for i := 1; i <= len(runes); i++ {
			end := i == len(runes) ||
				unicode.IsUpper(runes[i]) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
			if end {
				out = append(out, strings.ToLower(string(runes[start:i])))
				start = i
			}
		}
	}
	return out
}

// respelled writes an identifier as in another language.
func respelled(name string, way int) string {
	if name == "" {
		return ""
	}
	parts := humps(name)
	switch {
	case way == 0:
		return strings.Join(parts, "-")
	case way == 1 && !strings.Contains(name, "_"):
		return strings.Join(parts, "_")
	}
	for i, p := range parts {
		parts[i] = strings.ToUpper(p[:1]) + p[1:]
	}
	joined := strings.Join(parts, "")
	if joined == name {
		return strings.Join(humps(name), "_")
	}
	return joined
}
