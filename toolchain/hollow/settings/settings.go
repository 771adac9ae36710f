// Package settings reads what one process of hollow nodes is to be.
package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	// MostNodes of one process: one that dies takes all its nodes along until it is back.
	MostNodes = 250
	// mostNumber is the highest number of a node; pod addresses are made of it (10.128.0.0/9, a /24 for each node).
	mostNumber = 32 * 1024
	// socketPath is how long the path of a unix socket may be (sun_path, without its end).
	socketPath = 107
	// longestSocket is what the kubelet puts under the folder of its node.
	longestSocket = "/pod-resources/kubelet.sock"
)

var prefix = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,40})$`)

// Settings are the fields of the file that --config names.
type Settings struct {
	Server      string `json:"server"`       // URL of the API server
	CA          string `json:"ca"`           // file: whom API server and callers are verified by
	CAKey       string `json:"ca_key"`       // file: signs the nodes' certificates
	Credentials string `json:"credentials"`  // instead of it a folder that has them: <node>.crt, <node>.key and kube-proxy.crt, .key
	Address     string `json:"address"`      // every node's, where its kubelet listens
	Port        int    `json:"port"`         // of the first node; the next has the next one
	Prefix      string `json:"prefix"`       // node N is called <prefix>NNN
	First       int    `json:"first"`        // number of the first node
	Count       int    `json:"count"`        // how many
	Root        string `json:"root"`         // folder of the nodes' files; what lies there is removed at the start
	AdminSocket string `json:"admin_socket"` // unix socket, mode 0600
	CPU         int    `json:"cpu"`          // cores that each node has
	Memory      uint64 `json:"memory"`       // bytes that each node has
	Pods        int    `json:"pods"`         // that each node takes
	Events      bool   `json:"events"`       // whether kubelets record events; needs a readable /dev/kmsg
}

// Node is one node of the process.
type Node struct {
	Number int
	Name   string
	Port   int
	Root   string
}

// Place is what only the machine or pod knows that a process runs in; what is not empty wins over the file.
type Place struct{ Server, Address string }

// Read takes a file; the error names the field that is wrong.
func Read(file string, place Place) (Settings, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Settings{}, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var found Settings
	if err := decoder.Decode(&found); err != nil {
		return Settings{}, fmt.Errorf("%s: %w", file, err)
	}
	if place.Server != "" {
		found.Server = place.Server
	}
	if place.Address != "" {
		found.Address = place.Address
	}
	if err := found.check(); err != nil {
		return Settings{}, fmt.Errorf("%s: %w", file, err)
	}
	return found, nil
}

// Nodes are all nodes of the process, in order.
func (s Settings) Nodes() []Node {
	nodes := make([]Node, s.Count)
	for i := range nodes {
		number := s.First + i
		nodes[i] = Node{
			Number: number,
			Name:   fmt.Sprintf("%s%03d", s.Prefix, number),
			Port:   s.Port + i,
			Root:   filepath.Join(s.Root, fmt.Sprintf("%03d", number)),
		}
	}
	return nodes
}

func (s Settings) check() error {
	var wrong []error
	say := func(bad bool, format string, values ...any) {
		if bad {
			wrong = append(wrong, fmt.Errorf(format, values...))
		}
	}
	say(!strings.HasPrefix(s.Server, "https://"), "server: %q is not an https URL", s.Server)
	say(s.CA == "" || (s.CAKey == "") == (s.Credentials == ""), "ca, ca_key: name the authority's file, and either that of its key or the folder credentials")
	address, err := netip.ParseAddr(s.Address)
	say(err != nil, "address: %q is not an IP address", s.Address)
	say(err == nil && (address.IsLoopback() || address.IsUnspecified() || address.IsMulticast() || address.IsLinkLocalUnicast()),
		"address: %s: a kubelet refuses loopback, unspecified, multicast and link-local addresses: give one of this machine's others", s.Address)
	say(s.Count < 1 || s.Count > MostNodes, "count: %d is not from 1 to %d", s.Count, MostNodes)
	say(s.First < 1 || s.First+s.Count-1 > mostNumber, "first: nodes %d to %d are not from 1 to %d", s.First, s.First+s.Count-1, mostNumber)
	say(s.Port < 1 || s.Port+s.Count-1 > 65535, "port: %d and the next %d are not all ports", s.Port, s.Count-1)
	say(!prefix.MatchString(s.Prefix), "prefix: %q does not begin a node's name", s.Prefix)
	say(!filepath.IsAbs(s.Root), "root: %q is not an absolute path", s.Root)
	say(!filepath.IsAbs(s.AdminSocket), "admin_socket: %q is not an absolute path", s.AdminSocket)
	say(s.CPU < 1, "cpu: %d is not above 0", s.CPU)
	say(s.Memory < 1<<20, "memory: %d bytes is less than 1 MiB", s.Memory)
	say(s.Pods < 1, "pods: %d is not above 0", s.Pods)
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	for _, node := range s.Nodes() {
		socket := node.Root + longestSocket
		say(len(socket) > socketPath, "root: %s has %d characters, a unix socket's path at most %d: use a shorter folder", socket, len(socket), socketPath)
		if len(wrong) > 0 {
			break
		}
	}
	return errors.Join(wrong...)
}
