package blevesearch

import (
	"strings"

	index "github.com/blevesearch/bleve_index_api"

	"github.com/atmcp/atmcp/search"
)

// The fields of a document as scorch keeps it.
const (
	fieldID      = "_id"
	fieldTerms   = "w" // what it is found by
	fieldColumns = "c" // what ranking needs, see columns.go
	fieldTags    = "g"
	fieldAuthor  = "a"
	fieldTitle   = "t" // stored
	fieldBody    = "b" // stored
)

// document is a finding on its way into a segment.
type document struct {
	id     string
	fields []index.Field
}

func newDocument(d search.Doc) *document {
	text := &field{name: fieldTerms, options: index.IndexField}
	columns := &field{name: fieldColumns, options: index.IndexField}
	text.analyze = func() {
		var words lengths
		text.terms, words = analyze(&d)
		columns.terms = columnTerms(&d, words)
	}
	doc := &document{id: d.ID, fields: []index.Field{
		keywords(fieldID, index.IndexField|index.StoreField, d.ID), text, columns,
		&field{name: fieldTitle, options: index.StoreField, value: []byte(d.Title)},
		&field{name: fieldBody, options: index.StoreField, value: []byte(d.Body)},
	}}
	if len(d.Tags) > 0 {
		doc.fields = append(doc.fields, keywords(fieldTags, index.IndexField, d.Tags...))
	}
	if d.Author != "" {
		doc.fields = append(doc.fields, keywords(fieldAuthor, index.IndexField, d.Author))
	}
	return doc
}

// These make a document an [index.Document].

func (d *document) ID() string                                 { return d.id }
func (d *document) VisitComposite(index.CompositeFieldVisitor) {}
func (d *document) HasComposite() bool                         { return false }
func (d *document) AddIDField()                                {} // it has one
func (d *document) Indexed() bool                              { return true }
func (d *document) StoredFieldsBytes() uint64                  { return d.NumPlainTextBytes() }

func (d *document) VisitFields(visit index.FieldVisitor) {
	for _, f := range d.fields {
		visit(f)
	}
}

func (d *document) NumPlainTextBytes() (n uint64) {
	for _, f := range d.fields {
		n += f.NumPlainTextBytes()
	}
	return n
}

func (d *document) Size() int { return int(d.NumPlainTextBytes()) } //nolint:gosec // of one finding

// field is one of them. Its terms are known before it is asked for them, or made by
// analyze, in one of the goroutines that are there for it.
type field struct {
	name    string
	options index.FieldIndexingOptions
	value   []byte
	terms   index.TokenFrequencies
	analyze func()
}

// keywords is a field whose terms are whole values.
func keywords(name string, options index.FieldIndexingOptions, values ...string) *field {
	f := &field{name: name, options: options, terms: make(index.TokenFrequencies, len(values))}
	if options.IsStored() {
		f.value = []byte(values[0])
	}
	for _, v := range values {
		addTerm(f.terms, v, 1)
	}
	return f
}

func addTerm(terms index.TokenFrequencies, term string, frequency int) {
	tf := &index.TokenFreq{Term: []byte(term)}
	tf.SetFrequency(frequency)
	terms[strings.Clone(term)] = tf
}

// These make a field an [index.Field].

func (f *field) Name() string                                     { return f.name }
func (f *field) Value() []byte                                    { return f.value }
func (f *field) ArrayPositions() []uint64                         { return nil }
func (f *field) EncodedFieldType() byte                           { return 't' }
func (f *field) Options() index.FieldIndexingOptions              { return f.options }
func (f *field) AnalyzedTokenFrequencies() index.TokenFrequencies { return f.terms }
func (f *field) NumPlainTextBytes() uint64                        { return uint64(len(f.value)) }

// AnalyzedLength is what scorch makes its norm of, which is not used.
func (f *field) AnalyzedLength() int { return 1 }

func (f *field) Analyze() {
	if f.analyze != nil {
		f.analyze()
	}
}
