package capture

import (
	"context"
	"io"
	"sync"
	"time"

	"regi/firmware/capture/internal/link"
)

// order is the parent's word to destroy the key. It ends the swipe under way.
type order struct {
	mu    sync.Mutex
	given bool
	stop  context.CancelFunc // of the swipe under way
}

func (o *order) give() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.given = true
	if o.stop != nil {
		o.stop()
	}
}

// under returns a context that an order ends, too.
func (o *order) under(ctx context.Context) (context.Context, context.CancelFunc) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ctx, o.stop = context.WithCancel(ctx)
	if o.given {
		o.stop()
	}
	return ctx, o.stop
}

// taken reports whether there is an order, which the caller carries out.
func (o *order) taken() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	given := o.given
	o.given = false
	return given
}

// watch returns a context that ends with the link, and passes on orders.
func watch(ctx context.Context, l io.Reader, o *order) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if recover() != nil {
				cancel(errFault)
			}
		}()
		listen(l, o)
		cancel(errLink)
	}()
	return ctx, func() {
		cancel(nil)
		// Where the link has deadlines, wait for the goroutine; elsewhere it ends
		// with the link, that is with the process.
		if d, ok := l.(interface{ SetReadDeadline(time.Time) error }); ok && d.SetReadDeadline(time.Unix(1, 0)) == nil {
			<-done
		}
	}
}

// listen returns at the link's end, and at the first packet that is no order.
func listen(l io.Reader, o *order) {
	for {
		var b [2]byte // one more, so that a longer packet is noticed
		n, err := l.Read(b[:])
		if err != nil || n != 1 || b[0] != link.Wipe {
			return
		}
		o.give()
	}
}
