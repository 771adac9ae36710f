// A program whose heap grows in a known place; the test of the profile reader runs it. Argument: folder for profiles.
package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
)

var kept [][]byte

//go:noinline
func leak(objects int) {
	for i := 0; i < objects; i++ {
		kept = append(kept, make([]byte, 1024))
	}
}

func inlined(size int) []byte { return make([]byte, size) }

//go:noinline
func recurse(level int) {
	if level == 0 {
		kept = append(kept, inlined(300000))
		return
	}
	recurse(level - 1)
}

func write(kind, path string) {
	runtime.GC()
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if err := pprof.Lookup(kind).WriteTo(file, 0); err != nil {
		panic(err)
	}
}

func main() {
	runtime.MemProfileRate = 1
	leak(50)
	recurse(5)
	write("heap", os.Args[1]+"/old.pb.gz")
	leak(2000)
	recurse(3)
	kept = kept[20:]
	write("heap", os.Args[1]+"/new.pb.gz")
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for i := 0; i < 7; i++ {
		wait.Add(1)
		go func() { defer wait.Done(); <-stop }()
	}
	runtime.Gosched()
	write("goroutine", os.Args[1]+"/goroutine.pb.gz")
	close(stop)
	wait.Wait()
	runtime.KeepAlive(kept)
}
