package update

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Files of an image that say what it is.
const (
	// ReleasePath says which version runs.
	ReleasePath = "/etc/regi/release"
	// SlotArgument on the kernel's command line says which slot was booted.
	SlotArgument = "regi.slot="
	// KeysPath holds the owner's keys; empty where there are none.
	KeysPath = "/etc/regi/update.pub"
)

// Release is what an image says of itself.
type Release struct {
	Board, Version string
	Epoch          uint64
	Built          time.Time
}

// Encode returns the release's file: a line each, "key=value".
func (r Release) Encode() []byte {
	return fmt.Appendf(nil, "board=%s\nversion=%s\nepoch=%d\nbuilt=%d\n", r.Board, r.Version, r.Epoch, r.Built.Unix())
}

// releaseMax bounds the file.
const releaseMax = 1 << 10

// ParseRelease reads such a file, which is part of the image.
func ParseRelease(b []byte) (r Release, err error) {
	lines := strings.Split(strings.TrimSuffix(string(b[:min(len(b), releaseMax)]), "\n"), "\n")
	values := make([]string, 0, 4)
	for i, key := range [...]string{"board", "version", "epoch", "built"} {
		if i >= len(lines) {
			return Release{}, fmt.Errorf("update: release: %s is missing", key)
		}
		value, ok := strings.CutPrefix(lines[i], key+"=")
		if !ok {
			return Release{}, fmt.Errorf("update: release: line %d is not %s=", i+1, key)
		}
		values = append(values, value)
	}
	r.Board, r.Version = values[0], values[1]
	epoch, errEpoch := strconv.ParseUint(values[2], 10, 64)
	built, errBuilt := strconv.ParseInt(values[3], 10, 64)
	if !isWord(r.Board) || !isWord(r.Version) || errEpoch != nil || errBuilt != nil || len(lines) != len(values) {
		return Release{}, errors.New("update: release: not in its form")
	}
	r.Epoch, r.Built = epoch, time.Unix(built, 0).UTC()
	return r, nil
}
