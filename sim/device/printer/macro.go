package printer

import "time"

// macroMax is the longest macro.
const macroMax = 2048

// macro is bytes to be read again.
type macro struct {
	recording bool
	bytes     []byte
	playing   []byte // what is left of this run
	runs      int    // more runs
	wait      time.Duration
}

// defineMacro is GS :, which begins a macro and ends it. What is defined is
// carried out as well.
func defineMacro(it *interpreter, _ []byte) error {
	m := &it.macro
	switch {
	case len(m.playing) > 0 || m.runs > 0: // not in a macro
	case m.recording:
		m.recording = false
		m.bytes = m.bytes[:max(0, len(m.bytes)-len("\x1d:"))]
	default:
		m.recording, m.bytes = true, nil
	}
	return nil
}

// runMacro is GS ^ r t m: r times, with t × 100 ms before each. m 1 waits for
// the feed button each time, which this printer takes as pressed. While a macro
// is being defined it throws the definition away.
func runMacro(it *interpreter, a []byte) error {
	m := &it.macro
	switch {
	case m.recording:
		m.recording, m.bytes = false, nil
	case len(m.playing) == 0 && m.runs == 0 && len(m.bytes) > 0:
		m.runs, m.wait = int(a[0]), time.Duration(a[1])*100*time.Millisecond
	}
	return nil
}

// again begins the next run.
func (it *interpreter) again() error {
	it.macro.runs--
	it.macro.playing = it.macro.bytes
	if it.macro.wait == 0 {
		return nil
	}
	return it.enqueue(job{wait: it.macro.wait})
}

// hear keeps what is read while a macro is defined.
func (m *macro) hear(b byte) {
	if m.recording && len(m.bytes) < macroMax {
		m.bytes = append(m.bytes, b)
	}
}
