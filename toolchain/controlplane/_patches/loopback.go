package options

import (
	"net/http"

	"k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/rest"

	"fleet.example/toolchain/controlplane/dense/share"
)

// ApplyTo has an API server reach itself without a connection, when its listener knows the way (controlplane/dense). Who
// it is there, the token of the configuration says, as before.
func (s *SecureServingOptionsWithLoopback) ApplyTo(secureServingInfo **server.SecureServingInfo, loopbackClientConfig **rest.Config) error {
	if err := s.upstreamApplyTo(secureServingInfo, loopbackClientConfig); err != nil {
		return err
	}
	if !share.On() || s == nil || s.SecureServingOptions == nil || loopbackClientConfig == nil || *loopbackClientConfig == nil {
		return nil
	}
	if inside, is := s.Listener.(interface{ Inside() http.RoundTripper }); is {
		(*loopbackClientConfig).TLSClientConfig = rest.TLSClientConfig{}
		(*loopbackClientConfig).Transport = inside.Inside()
	}
	return nil
}
