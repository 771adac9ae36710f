package cert

import (
	"time"

	"fleet.example/toolchain/controlplane/dense/share"
)

// loopbackName is the name in the certificate with which an API server reaches itself.
const loopbackName = "apiserver-loopback-client"

type pair struct{ certificate, key []byte }

var loopbackPairs share.Memo[time.Duration, pair]

// GenerateSelfSignedCertKeyWithOptions makes one key for the loopback connections of all API servers of the process: a
// key of its own for each takes a tenth of the time to start. What a client may do there, its token says, which each has
// for itself.
func GenerateSelfSignedCertKeyWithOptions(opts SelfSignedCertKeyOptions) ([]byte, []byte, error) {
	if !share.On() || opts.Host != loopbackName || len(opts.AlternateIPs)+len(opts.AlternateDNS) > 0 || opts.FixtureDirectory != "" {
		return upstreamGenerateSelfSignedCertKeyWithOptions(opts)
	}
	made, err := loopbackPairs.Of(opts.MaxAge, func() (pair, error) {
		certificate, key, err := upstreamGenerateSelfSignedCertKeyWithOptions(opts)
		return pair{certificate, key}, err
	})
	return made.certificate, made.key, err
}
