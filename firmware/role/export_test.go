package role

import (
	"os"
	"time"
)

// EnterSpawner is for a test that takes the spawner over.
var EnterSpawner = enterSpawner

// Impatient is the register's side of a spawner that a test plays.
func Impatient(link *os.File, within time.Duration, lines ...string) *Spawner {
	return &Spawner{child: &Child{Link: link}, within: within, lines: lines}
}
