package printers

import (
	"reflect"
	"runtime"
	"strings"

	"fleet.example/toolchain/controlplane/dense/share"
)

var generators share.Memo[uintptr, *HumanReadableGenerator]

// With gives the same generator to all that request the handlers of one function. A generator is only read once it was
// made. A closure is not known by its code, so what one adds is not shared, nor a generator that has handlers already.
func (h *HumanReadableGenerator) With(fns ...func(PrintHandler)) *HumanReadableGenerator {
	if !share.On() || len(fns) != 1 || len(h.handlerMap) > 0 {
		return h.upstreamWith(fns...)
	}
	code := reflect.ValueOf(fns[0]).Pointer()
	name := runtime.FuncForPC(code).Name()
	if strings.Contains(name, ".func") || strings.HasSuffix(name, "-fm") {
		return h.upstreamWith(fns...)
	}
	made, _ := generators.Of(code, func() (*HumanReadableGenerator, error) { return h.upstreamWith(fns...), nil })
	return made
}
