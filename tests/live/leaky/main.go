// A component with a planted leak: it watches some collections of some API servers and keeps -keep bytes of each
// object that it is sent, forever. With -keep 0 it does the same work and keeps nothing.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// A watched collection: its URL, and the files by which the server is trusted and trusts us.
type source struct{ URL, CA, Cert, Key string }

type store struct {
	lock sync.Mutex
	kept [][]byte
}

//go:noinline
func (s *store) keep(size int) {
	s.lock.Lock()
	defer s.lock.Unlock()
	block := make([]byte, size)
	for at := range block {
		block[at] = 1 // memory that nobody writes to never becomes resident
	}
	s.kept = append(s.kept, block)
}

func client(from source) (*http.Client, error) {
	ca, err := os.ReadFile(from.CA)
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(from.Cert, from.Key)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	trust := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}, nil
}

func watch(from source, told func()) error {
	caller, err := client(from)
	if err != nil {
		return err
	}
	answer, err := caller.Get(from.URL + "?watch=true")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", from.URL, answer.Status)
	}
	for events := json.NewDecoder(answer.Body); ; {
		var event struct{ Type string }
		if err := events.Decode(&event); err != nil {
			return err
		}
		if event.Type == "ADDED" {
			told()
		}
	}
}

func metrics(answer http.ResponseWriter, _ *http.Request) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Fprintf(answer, "go_goroutines %d\ngo_memstats_heap_alloc_bytes %d\n", runtime.NumGoroutine(), memory.HeapAlloc)
}

func main() {
	runtime.MemProfileRate = 512 // the heap is small: the default samples one allocation in 512 KiB
	config := flag.String("config", "", "file with a JSON list of sources")
	listen := flag.String("listen", "", "address of /metrics and /debug/pprof")
	size := flag.Int("keep", 0, "bytes kept of each object")
	flag.Parse()

	text, err := os.ReadFile(*config)
	if err != nil {
		log.Fatal(err)
	}
	var sources []source
	if err := json.Unmarshal(text, &sources); err != nil {
		log.Fatal(err)
	}
	held := &store{}
	told := func() {
		if *size > 0 {
			held.keep(*size)
		}
	}
	for _, from := range sources {
		go func() { log.Fatal(watch(from, told)) }()
	}
	go func() {
		for range time.Tick(time.Second) {
			debug.FreeOSMemory() // what is resident is what is live
		}
	}()
	http.HandleFunc("/metrics", metrics)
	log.Fatal(http.ListenAndServe(*listen, nil))
}
