package apiserver

import "fleet.example/toolchain/controlplane/dense/share"

// PrepareRun does not build the specification of all routes for OpenAPI v3 where v2 is switched off, as upstream does: the
// configuration of v3 is there for server-side apply alone.
func (s *APIAggregator) PrepareRun() (preparedAPIAggregator, error) {
	if share.On() && s.openAPIConfig == nil {
		s.openAPIV3Config = nil
	}
	return s.upstreamPrepareRun()
}
