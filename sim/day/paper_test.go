package day_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// slip is one document that is whole on the paper.
type slip struct {
	printKey
	transaction string
	total       int64
}

// What the slips begin and end with, and what is told of them in between.
var (
	title      = regexp.MustCompile(`^\s*(?:領収証|点検 (X)|精算 (Z))\s*$`)
	copyMark   = regexp.MustCompile(`^\s*【再発行】\s*$`)
	receiptNo  = regexp.MustCompile(`No\.(\d{6})$`)
	reportNo   = regexp.MustCompile(`精算回数 (\d{6})$`)
	grandTotal = regexp.MustCompile(`^(?:合計|総累計)\s+¥([0-9,]+)\s*$`)
	saleID     = regexp.MustCompile(`^取引番号 (\S+)$`)
)

// linesMax is how much paper the simulator keeps.
const linesMax = 2000

// slips reads the paper. What has no end is no slip: the paper ran out, or the
// printer lost the rest.
func slips(paper string) (all []slip) {
	var s *slip
	for text := range strings.Lines(paper) {
		text = strings.TrimRight(text, "\n")
		switch {
		case title.MatchString(text):
			m := title.FindStringSubmatch(text)
			s = &slip{printKey: printKey{document: "receipt"}}
			if kind := m[1] + m[2]; kind != "" {
				s.document = kind
			}
		case s == nil:
		case copyMark.MatchString(text):
			s.reprint = true
		case receiptNo.MatchString(text):
			s.number = figure(receiptNo.FindStringSubmatch(text)[1])
		case reportNo.MatchString(text):
			s.number = figure(reportNo.FindStringSubmatch(text)[1])
		case grandTotal.MatchString(text):
			s.total = figure(grandTotal.FindStringSubmatch(text)[1])
			if s.document != "receipt" {
				all, s = append(all, *s), nil
			}
		case saleID.MatchString(text):
			s.transaction = saleID.FindStringSubmatch(text)[1]
			all, s = append(all, *s), nil
		}
	}
	return all
}

func figure(s string) int64 {
	n, err := strconv.ParseInt(strings.ReplaceAll(s, ",", ""), 10, 64)
	if err != nil {
		panic(fmt.Sprintf("%q is no number", s))
	}
	return n
}

// judgePaper compares the paper with the books.
func (b *books) judgePaper() {
	paper := b.Paper()
	if n := strings.Count(paper, "\n"); n >= linesMax {
		b.t.Fatalf("%d lines: the oldest paper is gone, play shorter days", n)
	}
	if strings.ContainsAny(paper, "\x1b\x10\x14\x1d") {
		b.fault("control bytes are on the paper")
	}
	whole := map[printKey]int{}
	for _, s := range slips(paper) {
		whole[s.printKey]++
		if s.document != "receipt" {
			continue
		}
		if s.number < 1 || s.number > int64(len(b.commits)) {
			b.fault("receipt %d is on the paper, but not in the ledger", s.number)
			continue
		}
		if r := b.commits[s.number-1]; r.TransactionID != s.transaction || r.Total != s.total {
			b.fault("paper: receipt %d is %s of ¥%d, the ledger says %s of ¥%d", s.number, s.transaction, s.total, r.TransactionID, r.Total)
		}
	}
	for key, n := range whole {
		if n > b.begun[key] {
			b.fault("%+v is on the paper %d times, and was to be printed %d times", key, n, b.begun[key])
		}
		if n > 1 && !key.reprint && key.document != "X" {
			b.fault("%+v is on the paper %d times without a mark", key, n)
		}
	}
	for key, n := range b.finished {
		if whole[key] < n {
			b.fault("%+v was printed %d times by the books, %d are on the paper", key, n, whole[key])
		}
	}
	for _, r := range b.commits {
		original, again := printKey{"receipt", r.SequenceNumber, false}, printKey{"receipt", r.SequenceNumber, true}
		if whole[original]+whole[again] == 0 && b.failed[original]+b.failed[again] == 0 {
			b.fault("receipt %d is not on the paper, and nobody was told", r.SequenceNumber)
		}
	}
}
