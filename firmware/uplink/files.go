package uplink

import (
	"fmt"
	"io"
	"os"
)

// files are the two files of the configuration, opened once: this process may
// have lost the right to do so when it reads them.
type files struct{ ca, creds file }

// file is an open file, or why it is not.
type file struct {
	f   *os.File
	err error
}

func openFiles(c Config) files {
	open := func(path string) (f file) {
		f.f, f.err = os.Open(path) //nolint:gosec // the configuration names it
		return f
	}
	return files{open(c.CA), open(c.Creds)}
}

func (f *files) missing() bool { return f.ca.err != nil || f.creds.err != nil }

// read reads the file as it is now.
func (f *file) read() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	data, err := io.ReadAll(io.NewSectionReader(f.f, 0, fileMax+1))
	if err == nil && len(data) > fileMax {
		return nil, fmt.Errorf("%s is over %d bytes", f.f.Name(), fileMax)
	}
	return data, err
}
