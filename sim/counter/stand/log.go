package stand

import (
	"bytes"
	"sync"
)

// tailBytes is how much of a log is shown beside a failure.
const tailBytes = 1 << 20

// Log keeps what several processes printed, for a test that reads it meanwhile.
// Its zero value is empty.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b) //nolint:wrapcheck // of a buffer, which has none
}

// String is everything until now.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// tail is the newest of it.
func (l *Log) tail() string {
	all := l.String()
	return all[max(0, len(all)-tailBytes):]
}
