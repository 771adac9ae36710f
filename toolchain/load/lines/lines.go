// Package lines is how a driver speaks with a load client: one JSON document on stdin, JSON lines on stdout. The end of
// stdin ends the client, so that it never outlives its driver.
package lines

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrOrder is returned for an order that is no order: bad input, exit code 2.
var ErrOrder = errors.New("order")

// Read reads the order, the first line of in, into the value, and returns a context that ends when in does.
func Read(ctx context.Context, in io.Reader, into any) (context.Context, error) {
	reader := bufio.NewReader(in)
	line, err := reader.ReadBytes('\n')
	if err != nil && !(errors.Is(err, io.EOF) && len(line) > 0) {
		return nil, fmt.Errorf("%w: stdin has no line: %w", ErrOrder, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOrder, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, reader)
	}()
	return ctx, nil
}

// Writer writes one JSON document per line; use from many goroutines.
type Writer struct {
	mu  sync.Mutex
	out io.Writer
}

// NewWriter writes to out.
func NewWriter(out io.Writer) *Writer { return &Writer{out: out} }

// Write writes one line. A reader that is gone is an error.
func (w *Writer) Write(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err = w.out.Write(append(text, '\n'))
	return err
}
