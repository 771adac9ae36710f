//go:build go1.23

package restful

// The module is of an older Go than type parameters, which the line above lifts for this file.

import "fleet.example/toolchain/controlplane/dense/share"

var pathExpressions share.Memo[string, *pathExpression]

// newPathExpression compiles each path once: the expression depends on nothing else, and is only read.
func newPathExpression(path string) (*pathExpression, error) {
	if !share.On() {
		return upstreamNewPathExpression(path)
	}
	return pathExpressions.Of(path, func() (*pathExpression, error) { return upstreamNewPathExpression(path) })
}
