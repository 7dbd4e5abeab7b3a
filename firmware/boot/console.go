package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"regi/board"
)

// consoleName is what firmware and configurations call the line on a board's
// header, whichever UART that is. There is no udev here that would make it.
const consoleName = "serial0"

// linkConsole leads it to the board's own line.
func linkConsole(name, dev string) error {
	b, err := board.ByName(name)
	if err != nil || b.Image == nil {
		return err
	}
	err = os.Symlink(b.Image.Console, filepath.Join(dev, consoleName))
	if err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("console: %w", err)
	}
	return nil
}
