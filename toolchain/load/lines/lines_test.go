package lines

import (
	"context"
	"io"
	"testing"
)

func TestTheEndOfStdinEndsTheContext(t *testing.T) {
	in, driver := io.Pipe()
	go func() { _, _ = driver.Write([]byte(`{"a": 1}` + "\n")) }()
	var order struct{ A int }
	ctx, err := Read(context.Background(), in, &order)
	if err != nil || order.A != 1 {
		t.Fatal(err, order)
	}
	if ctx.Err() != nil {
		t.Fatal("ended while stdin is open")
	}
	if err := driver.Close(); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
}
