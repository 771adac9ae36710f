package dense

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"

	"fleet.example/toolchain/controlplane/dense/inprocess"
)

// throughEndpoint makes a client's configuration lead to a server of this process. Who the client is, its certificate says,
// as over a connection.
func throughEndpoint(config *rest.Config, endpoint *inprocess.Endpoint) error {
	if err := rest.LoadTLSFiles(config); err != nil {
		return err
	}
	certificates, err := cert.ParseCertsPEM(config.CertData)
	if err != nil {
		return fmt.Errorf("client certificate: %w", err)
	}
	config.TLSClientConfig = rest.TLSClientConfig{}
	config.Transport = endpoint.Client(certificates...)
	return nil
}
