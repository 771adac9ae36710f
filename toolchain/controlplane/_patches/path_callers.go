package mux

import (
	"fmt"
	"runtime"
	"strings"

	"fleet.example/toolchain/controlplane/dense/share"
)

// deepest is how many callers of a registration are reported.
const deepest = 24

var callers share.Memo[[deepest]uintptr, string]

// trackCallers keeps who registered a path, for the message about one that is registered twice: the text once for each way
// through the code, where upstream's has the arguments and the goroutine of each call in it.
func (m *PathRecorderMux) trackCallers(path string) {
	if _, twice := m.pathStacks[path]; twice || !share.On() {
		m.upstreamTrackCallers(path) // it says so
		return
	}
	var way [deepest]uintptr
	runtime.Callers(2, way[:])
	m.pathStacks[path], _ = callers.Of(way, func() (string, error) {
		var text strings.Builder
		frames := runtime.CallersFrames(way[:])
		for {
			frame, more := frames.Next()
			fmt.Fprintf(&text, "%s\n\t%s:%d\n", frame.Function, frame.File, frame.Line)
			if !more {
				return text.String(), nil
			}
		}
	})
}
