//go:build race

package capture

// raced: the race detector maps its own shadow of all memory, which takes a
// minute to search.
const raced = true
