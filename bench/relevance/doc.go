// Package relevance measures what a search finds: search/blevesearch against SQLite's
// FTS5 over the same paragraphs, in the same run. See README.md.
package relevance
