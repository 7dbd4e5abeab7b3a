package main

import (
	"encoding/json"
	"os"
	"sync"
)

// logbook keeps what the register prints in a file, and what it says of itself.
type logbook struct {
	file *os.File

	mu      sync.Mutex
	state   stateLine
	notices map[string]int // by code
}

// stateLine is the register's log line "state"; of a notice, its code.
type stateLine struct {
	Msg     string `json:"msg"`
	Code    string `json:"code"`
	Till    string `json:"till"`
	Outbox  uint64 `json:"outbox"`
	Cloud   bool   `json:"cloud"`
	Scanner string `json:"scanner"`
	Card    string `json:"card"`
	Keypad  string `json:"keypad"`
}

func newLogbook(path string) (*logbook, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // in the drill's own folder
	if err != nil {
		return nil, err
	}
	return &logbook{file: f, notices: map[string]int{}}, nil
}

// Write takes one line.
func (l *logbook) Write(line []byte) (int, error) {
	var s stateLine
	if json.Unmarshal(line, &s) == nil {
		l.mu.Lock()
		switch s.Msg {
		case "state":
			l.state = s
		case "notice":
			l.notices[s.Code]++
		}
		l.mu.Unlock()
	}
	return l.file.Write(line)
}

func (l *logbook) now() stateLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// told is how often the operator was told something.
func (l *logbook) told(code string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.notices[code]
}
