//go:build race

package journal_test

// raced: the race detector makes the campaigns ten times slower.
const raced = true
