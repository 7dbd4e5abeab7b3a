package main

import (
	"context"

	"regi/board"
	"regi/board/port"
	"regi/drivers/encreader"
	"regi/firmware/capture"
)

// openReader opens the lines of the card reader that the configuration names,
// and returns what reads cards from it.
func openReader(w wire, o *capture.Options) (read func(context.Context, capture.Options) error, err error) {
	if w.Reader == "msr-ttl" {
		head, err := board.OpenHead(w.Port)
		if err != nil {
			return nil, err
		}
		o.Head, o.Strobed = head, head.Strobed()
		return capture.Main, nil
	}
	line := w.options()
	passes := func(format encreader.Format) func(context.Context, capture.Options) error {
		return func(ctx context.Context, o capture.Options) error { return capture.Pass(ctx, o, format) }
	}
	switch w.Reader {
	case "idtech":
		read = passes(encreader.IDTech)
	case "magtek":
		read = passes(encreader.MagTek)
	default: // "msr"
		line.LineEnd, read = '\r', capture.Main
	}
	if o.Port, err = port.Open(line); err != nil {
		return nil, err
	}
	return read, nil
}
