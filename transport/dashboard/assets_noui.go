//go:build noui

package dashboard

import (
	"errors"
	"io/fs"
)

// Built tells that the page is not in the program.
const Built = false

func embedded() fs.FS { return nil }

func built() (*bundle, error) { return nil, errors.New("there is no page in this program") }
