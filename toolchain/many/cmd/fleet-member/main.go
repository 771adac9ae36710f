// Command fleet-member stands for one instance of a program that runs with others in one process (package many).
//
//	fleet-member --host=SOCKET --name=NAME [ARGUMENT...]
//
// It ends with 0 when it was to end and the instance has ended, with 1 and the reason when the instance ended by
// itself or the host is gone.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

const (
	// hostTime is how long a host may take to be there.
	hostTime = 60 * time.Second
	pause    = 100 * time.Millisecond
)

func main() {
	debug.SetGCPercent(-1) // it makes no garbage to speak of
	if len(os.Args) < 3 || !strings.HasPrefix(os.Args[1], "--host=") || !strings.HasPrefix(os.Args[2], "--name=") {
		fmt.Fprintln(os.Stderr, "usage: fleet-member --host=SOCKET --name=NAME [ARGUMENT...]")
		os.Exit(2)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	name := strings.TrimPrefix(os.Args[2], "--name=")
	code, words := stand(strings.TrimPrefix(os.Args[1], "--host="), name, os.Args[3:], signals)
	if words != "" {
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, words)
	}
	os.Exit(code)
}

// stand gives the exit code and what there is to say.
func stand(socket, name string, args []string, signals <-chan os.Signal) (int, string) {
	conn, err := dial(socket, signals)
	if err != nil {
		return 1, err.Error()
	}
	if conn == nil {
		return 0, ""
	}
	defer conn.Close()
	hello := struct {
		Name string   `json:"name"`
		Args []string `json:"args"`
	}{name, args}
	if err := json.NewEncoder(conn).Encode(hello); err != nil {
		return 1, err.Error()
	}
	told := false
	last := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(conn).ReadString('\n')
		last <- line
	}()
	for {
		select {
		case <-signals:
			told = true
			_ = conn.CloseWrite() // the host reads our end, ends the instance, and answers
		case line := <-last:
			var bye struct {
				Error string `json:"error"`
			}
			switch err := json.Unmarshal([]byte(line), &bye); {
			case err != nil && told:
				return 0, "its host ended before it"
			case err != nil:
				return 1, "its host at " + socket + " is gone"
			case bye.Error != "":
				return 1, bye.Error
			}
			if told {
				return 0, ""
			}
			return 1, "its host ended it"
		}
	}
}

// dial waits for the host; nil without an error when a signal comes first.
func dial(socket string, signals <-chan os.Signal) (*net.UnixConn, error) {
	end := time.Now().Add(hostTime)
	for {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
		if err == nil {
			return conn, nil
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("no host answers: %w", err)
		}
		select {
		case <-signals:
			return nil, nil
		case <-time.After(pause):
		}
	}
}
