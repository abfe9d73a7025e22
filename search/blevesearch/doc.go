// Package blevesearch finds documents with bleve's segment store in files, one
// directory a team.
//
// Of bleve it takes the engine, scorch: compressed postings in files that are
// mapped into memory, merged in the background and switched over in one step. What
// a word is comes from package search; what is known about words beyond that
// (inflections, typing errors, words that say little) and what a match is worth is
// decided here. bleve's own scoring, analyzers and query language are not linked,
// and nothing of bleve that a process shares is changed.
//
// # What is in a segment
//
// A document is one field of terms, and each posting's frequency says how often
// the title and the body have the term, a whole word as two, a part of one as one;
// see [units]. What ranking needs of a document, its [search.Doc.Seq] and lengths,
// are columns: terms that every document has, whose frequency is the value. Columns
// are read once for each segment. Title and body are stored, so that the places of a
// hit are found by reading its text again and no posting carries positions.
//
// # How a page is found
//
// A search reads the documents of its terms first, without frequencies: that says
// which documents have all words, how many match, and how much each can be worth at
// most. Frequencies are read of those alone that may come to the page. It is the page
// that weighing all of them would give.
//
// # What may be lost
//
// The position is written with the documents in one step. Files are checked when they
// are opened, every byte of them: what is damaged, was left behind by a process that
// was killed, or is of another format or team, is dropped and its position with it, so
// that the hub builds it again.
package blevesearch
