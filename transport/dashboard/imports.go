package dashboard

import "regexp"

// What in a page and in a script names modules. They need not know the languages, only
// how our own files are written; a test looks for modules that they miss.
var (
	moduleScript = regexp.MustCompile(`<script type="module" src="_/([^"]+)">`)
	staticImport = regexp.MustCompile(`(?m)^\s*(?:import|export)\b[^"'();]*["'](\.{1,2}/[^"']+)["']`)
)
