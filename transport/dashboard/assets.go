//go:build !noui

package dashboard

import (
	"embed"
	"io/fs"
	"sync"
)

//go:embed all:web
var web embed.FS

// Built tells that the page is in the program.
const Built = true

// embedded are the files in the program.
func embedded() fs.FS {
	files, err := fs.Sub(web, "web")
	if err != nil {
		return nil // web is a good name
	}
	return files
}

// built is the files in the program, read when they are first asked for.
//
//nolint:gochecknoglobals // made once in a program, as what it is made of
var built = sync.OnceValues(func() (*bundle, error) { return newBundle(embedded(), shrunk) })
