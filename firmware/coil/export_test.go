package coil

import "time"

// Patient gives a busy machine the time to answer.
func (c *Conn) Patient() *Conn {
	c.within = 30 * time.Second
	return c
}
