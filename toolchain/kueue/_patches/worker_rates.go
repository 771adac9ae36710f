package multikueue

import (
	"os"
	"strconv"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Environment of the hub's program: the limit of its clients of each worker, of which there is one per kind of object.
// Upstream has no setting for it; without them, or where one is no number, it is client-go's, 5 and 10.
const (
	workerQPS   = "FLEET_MULTIKUEUE_DISPATCH_QPS"
	workerBurst = "FLEET_MULTIKUEUE_DISPATCH_BURST"
)

// newClientWithWatch is upstream's, with that limit.
func newClientWithWatch(config *clientConfig, options client.Options) (client.WithWatch, error) {
	qps, noQPS := strconv.ParseFloat(os.Getenv(workerQPS), 32)
	burst, noBurst := strconv.Atoi(os.Getenv(workerBurst))
	if noQPS != nil || noBurst != nil || config.RestConfig != nil {
		return upstreamNewClientWithWatch(config, options)
	}
	restConfig, err := clientcmd.RESTConfigFromKubeConfig(config.Kubeconfig)
	if err != nil {
		return nil, err
	}
	restConfig.QPS, restConfig.Burst = float32(qps), burst
	return upstreamNewClientWithWatch(&clientConfig{RestConfig: restConfig}, options)
}
