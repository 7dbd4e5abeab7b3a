package scanner_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"regi/drivers"
	"regi/drivers/scanner"
)

// brackets is what STX and ETX mean, once more and slower: an automaton over
// bytes. A rest without an end is not judged.
func brackets(stream string) (all []result) {
	inside, junk := false, false
	var data []byte
	for i := range len(stream) {
		c := stream[i]
		switch {
		case !inside && c == 2:
			if junk {
				all = append(all, result{err: drivers.ErrFrame})
			}
			inside, junk, data = true, false, nil
		case !inside:
			junk = junk || c != '\r' && c != '\n'
		case c == 3 || c == 2:
			switch {
			case len(data) > scanner.FrameMax:
				all = append(all, result{err: drivers.ErrTooLong})
			case c == 2:
				all = append(all, result{err: drivers.ErrFrame})
			case len(data) > 0:
				all = append(all, judged(string(data)))
			}
			inside, data = c == 2, nil
		default:
			data = append(data, c)
		}
	}
	return all
}

// judged is what becomes of one scan's data.
func judged(data string) result {
	switch {
	case strings.ContainsFunc(data, func(r rune) bool { return unicode.IsControl(r) && r != 0x1d }):
		return result{err: drivers.ErrControl}
	case !utf8.ValidString(data):
		return result{err: drivers.ErrFrame}
	}
	aim := identifier.FindString(data)
	return result{scan: drivers.Scan{Data: data, AIM: aim, Label: strings.TrimPrefix(data, aim)}}
}

// FuzzBrackets: any bytes, in any pieces, are the scans between STX and ETX.
func FuzzBrackets(f *testing.F) {
	f.Add("\x024901234567894\x03\r\n\x02]E04912345678904\x03", []byte{0})
	f.Add("noise\x021\x022\x03\x03\x02\x03\x00\x023\x03", []byte{1, 0, 4})
	f.Add("\x02"+strings.Repeat("9", 4096)+"\x03\x02"+strings.Repeat("9", 4097)+"\x03\x021\x03", []byte{255})
	f.Add("\x02"+strings.Repeat("9", 9000)+"\x021\x03", []byte{200, 3})
	f.Fuzz(func(t *testing.T, stream string, sizes []byte) {
		same(t, results(t, "stx-etx", pieces(stream, sizes)), brackets(stream))
		same(t, results(t, "stx-etx", pieces(stream, nil)), brackets(stream))
	})
}

// FuzzSSI: from any bytes, in any pieces, nothing is delivered that is not, packet
// by packet, in them with a right checksum; and every packet is answered once.
func FuzzSSI(f *testing.F) {
	f.Add(one, []byte{0})
	f.Add(append(packets(0x1c, strings.Repeat("0123456789", 60)), one...), []byte{100, 3})
	f.Add(slices.Concat(one, again(one), broken(one, dataAt)), []byte{255})
	f.Add(slices.Concat([]byte{0, 4, 0xd0, 0, 0, 0xff, 0x2c, 5, 0xf6, 0, 0, 1, 0xff, 4}, one), []byte{7})
	f.Fuzz(func(t *testing.T, stream []byte, sizes []byte) {
		port := &script{chunks: pieces(string(stream), sizes)}
		s, err := scanner.New(port, scanner.Options{Framing: "ssi"})
		if err != nil {
			t.Fatal(err)
		}
		bodies := wholeBodies(stream)
		for {
			scan, err := s.Read(t.Context())
			switch {
			case errors.Is(err, drivers.ErrUnplugged):
				checkReplies(t, port.said, len(stream))
				return
			case err == nil && (len(scan.Data) == 0 || len(scan.Data) > scanner.FrameMax || !madeOf(scan.Data, bodies)):
				t.Fatalf("%d bytes were delivered that no packet holds", len(scan.Data))
			}
		}
	})
}

// wholeBodies are the data of all DECODE_DATA packets with a right checksum that
// are anywhere in a stream.
func wholeBodies(stream []byte) (all []string) {
	for i := range stream {
		n := int(stream[i])
		if n < 5 || len(stream) < i+n+2 || stream[i+1] != 0xf3 || stream[i+2] != 0 {
			continue
		}
		sum := binary.BigEndian.Uint16(stream[i+n:])
		for _, c := range stream[i : i+n] {
			sum += uint16(c)
		}
		if sum == 0 {
			all = append(all, string(stream[i+5:i+n]))
		}
	}
	return all
}

// madeOf reports whether data is some of the bodies, one after the other.
func madeOf(data string, bodies []string) bool {
	reached := make([]bool, len(data)+1)
	reached[0] = true
	for i := range data {
		for _, b := range bodies {
			if reached[i] && b != "" && strings.HasPrefix(data[i:], b) {
				reached[i+len(b)] = true
			}
		}
	}
	return reached[len(data)]
}

// checkReplies: all that the driver wrote is packets of a host, no more of them
// than fit into what it was sent.
func checkReplies(t *testing.T, said []byte, received int) {
	t.Helper()
	n := 0
	for ; len(said) > 0; n++ {
		size := int(said[0]) + 2
		if size < 6 || len(said) < size || said[2] != 4 || len(wrongSum(said[:size])) > 0 {
			t.Fatalf("not a host's packet: % x", said)
		}
		said = said[size:]
	}
	if n > received/6 {
		t.Errorf("%d replies to %d bytes", n, received)
	}
}

func wrongSum(p []byte) []byte {
	sum := binary.BigEndian.Uint16(p[len(p)-2:])
	for _, c := range p[:len(p)-2] {
		sum += uint16(c)
	}
	if sum != 0 {
		return p
	}
	return nil
}
