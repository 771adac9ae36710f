package restful

import "fleet.example/toolchain/controlplane/dense/share"

var pathExpressions share.Memo[string, *pathExpression]

// newPathExpression compiles each path once: the expression depends on nothing else, and is only read.
func newPathExpression(path string) (*pathExpression, error) {
	if !share.On() {
		return upstreamNewPathExpression(path)
	}
	return pathExpressions.Of(path, func() (*pathExpression, error) { return upstreamNewPathExpression(path) })
}
