package clients

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Written is what EditFile did.
type Written struct {
	Path    string `json:"path"`              // of the file itself, where the path was a link
	Changed bool   `json:"changed"`           // false: it said all of it already
	Removed bool   `json:"removed,omitempty"` // nothing was left in it
	Backup  string `json:"backup,omitempty"`  // where its former content is
}

// EditFile replaces a file by what edit makes of it, whole or not at all. The former
// content is kept beside it as .bak, a link stays a link, and the mode stays; a new
// file has the given one. Edit gets nothing where there is no file, and returns
// nothing to have none. A file that somebody else wrote meanwhile is left alone.
func EditFile(path string, mode fs.FileMode, edit func([]byte) ([]byte, error)) (Written, error) {
	path, err := resolve(path)
	if err != nil {
		return Written{}, err
	}
	w := Written{Path: path}
	old, err := os.ReadFile(path) //nolint:gosec // the client's file, which the user asks to edit
	exists := !errors.Is(err, fs.ErrNotExist)
	if err != nil && exists {
		return w, err
	}
	if exists {
		info, err := os.Stat(path)
		if err != nil {
			return w, err
		}
		mode = info.Mode().Perm()
	}
	text, err := edit(old)
	if err != nil || bytes.Equal(text, old) {
		return w, err
	}
	if exists {
		w.Backup = path + ".bak"
		if err := replace(w.Backup, old, mode); err != nil {
			return w, err
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, old) { //nolint:gosec // as above
			return w, errors.Join(err, fmt.Errorf("%s was changed by somebody else just now; nothing was written", path))
		}
	}
	w.Changed = true
	if len(text) == 0 {
		w.Removed = true
		return w, os.Remove(path)
	}
	return w, replace(path, text, mode)
}

// resolve follows links to the file that they lead to; one that leads nowhere is
// where the file will be.
func resolve(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		return real, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if to, err := os.Readlink(path); err == nil {
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		return to, nil
	}
	return path, nil
}

// replace writes a file, whole or not at all.
func replace(path string, text []byte, mode fs.FileMode) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // a directory as its client would have made it
		return err
	}
	tmp, err := os.CreateTemp(dir, ".atmcp-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name()) // it is of no use
		}
	}()
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
