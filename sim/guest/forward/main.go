// Command forward connects its standard input and output to an address: QEMU
// starts one for each connection that a guest makes.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "use: forward HOST:PORT")
		os.Exit(2)
	}
	c, err := net.Dial("tcp", os.Args[1]) //nolint:gosec,noctx // QEMU says where; it lives as long as the connection
	if err != nil {
		fmt.Fprintln(os.Stderr, "forward:", err)
		os.Exit(1)
	}
	go func() {
		io.Copy(c, os.Stdin)          //nolint:errcheck,gosec // the other direction ends as well
		c.(*net.TCPConn).CloseWrite() //nolint:errcheck,gosec,forcetypeassert // dialled as tcp
	}()
	io.Copy(os.Stdout, c) //nolint:errcheck,gosec // the guest sees the end
}
