package lines

import (
	"syscall"
	"time"
)

// Usage is what this process took since it began.
type Usage struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	PeakRSS    int64   `json:"peak_rss"` // bytes
}

// Used asks the kernel.
func Used() Usage {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return Usage{}
	}
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return Usage{cpu.Seconds(), int64(usage.Maxrss) * 1024}
}

// Since is what was taken after an earlier look; the peak is the whole process's.
func (u Usage) Since(earlier Usage) Usage {
	return Usage{u.CPUSeconds - earlier.CPUSeconds, u.PeakRSS}
}
