package cel

import (
	"k8s.io/apiserver/pkg/cel/environment"

	"fleet.example/toolchain/controlplane/dense/share"
)

var environments share.Memo[*environment.EnvSet, variableDeclEnvs]

// mustBuildEnvs extends each base environment once. Upstream keeps one base for each version, and only reads what is built
// of it.
func mustBuildEnvs(baseEnv *environment.EnvSet) variableDeclEnvs {
	if !share.On() {
		return upstreamMustBuildEnvs(baseEnv)
	}
	built, _ := environments.Of(baseEnv, func() (variableDeclEnvs, error) { return upstreamMustBuildEnvs(baseEnv), nil })
	return built
}
