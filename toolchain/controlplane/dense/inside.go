package dense

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"

	"fleet.example/toolchain/controlplane/dense/inprocess"
)

// throughDoor makes a client's configuration lead to a server of this process. Who the client is, its certificate says,
// as over a connection.
func throughDoor(config *rest.Config, door *inprocess.Door) error {
	if err := rest.LoadTLSFiles(config); err != nil {
		return err
	}
	certificates, err := cert.ParseCertsPEM(config.CertData)
	if err != nil {
		return fmt.Errorf("client certificate: %w", err)
	}
	config.TLSClientConfig = rest.TLSClientConfig{}
	config.Transport = door.Client(certificates...)
	return nil
}
