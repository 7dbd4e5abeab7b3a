//go:build race

package main

// raced: the race detector makes the search ten times slower.
const raced = true
