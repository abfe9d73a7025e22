// Command mutate shows that tests can fail. Each .mut file takes one guard out of the code, through go test -overlay, so
// that the tree itself is never touched; the test it names must pass without the change and fail with it.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: mutate FILE.mut...")
		os.Exit(2)
	}
	killed, err := runAll(os.Args[1:])
	fmt.Printf("mutants killed %d/%d\n", killed, len(os.Args)-1)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runAll tries every mutant and joins the errors of those that lived or could not be tried.
func runAll(paths []string) (killed int, err error) {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	r := runner{dir: dir, sound: make(map[string]error)}
	for _, path := range paths {
		if kill := r.try(path); kill != nil {
			fmt.Printf("LIVES   %s\n", path)
			err = errors.Join(err, fmt.Errorf("%s: %w", path, kill))
			continue
		}
		fmt.Printf("killed  %s\n", path)
		killed++
	}
	return killed, err
}
