//go:build !amd64 && !arm64

package reach

import "errors"

// On other processors no thread can be made to try, and that is what the table
// says.

type registers struct{}

var systemCall []byte //nolint:gochecknoglobals // none is known

const callAlign = 1

var errProcessor = errors.New("not on this processor") //nolint:gochecknoglobals // a constant

func getRegisters(int, *registers) error         { return errProcessor }
func setRegisters(int, *registers) error         { return errProcessor }
func stackOf(*registers) uint64                  { return 0 }
func resultOf(*registers) int64                  { return 0 }
func prepare(*registers, uint64, int64, []int64) {}
