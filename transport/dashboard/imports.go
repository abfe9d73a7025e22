package dashboard

import "regexp"

// What in a page and in a script names style sheets and modules. They need not know the
// languages, only how our own files are written; a test looks for modules that they miss.
var (
	moduleScript = regexp.MustCompile(`<script type="module" src="_/([^"]+)">`)
	styleSheet   = regexp.MustCompile(`<link rel="stylesheet" href="_/([^"]+)">\n?`)
	staticImport = regexp.MustCompile(`(?m)^\s*(?:import|export)\b[^"'();]*["'](\.{1,2}/[^"']+)["']`)
)
