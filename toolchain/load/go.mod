// The client that loads control planes and measures them.
module fleet.example/toolchain/load

go 1.25.0

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0
	golang.org/x/time v0.14.0
)
