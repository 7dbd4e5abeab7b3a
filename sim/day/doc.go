// Package day is a whole shop day at the real counter: a random cashier sells
// while power, cables, paper, drawer and cloud fail, and afterwards the books
// must be right. It holds tests only.
//
// A day's seed is printed and decides what the cashier and the faults do; the
// processes' own timing is theirs. REGI_DAY_SEED names another day (1), REGI_DAYS is how
// many days are played (1), REGI_DAY_SALES how many sales each has (12).
package day
