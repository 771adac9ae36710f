package dense

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"fleet.example/toolchain/controlplane/dense/admin"
	"fleet.example/toolchain/controlplane/dense/lifecycle"
	"fleet.example/toolchain/controlplane/dense/settings"
	"fleet.example/toolchain/controlplane/dense/share"
	"fleet.example/toolchain/controlplane/dense/store"
)

// NewCommand is the `dense` program.
func NewCommand() *cobra.Command {
	var file string
	command := &cobra.Command{
		Use:   "dense --config FILE",
		Short: "Run many Kubernetes control planes in one process",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			own, err := settings.Load(file)
			if err != nil {
				return err
			}
			command.SilenceUsage = true
			// SIGTERM and SIGINT end all control planes in order; a second one ends the process at once.
			ctx, stop := signal.NotifyContext(command.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			context.AfterFunc(ctx, stop)
			return Run(ctx, own)
		},
	}
	command.SetContext(context.Background())
	command.Flags().StringVar(&file, "config", "", "JSON file: admin_socket, instances_dir, etcd, parallelism, cores, sharing, hibernate_seconds, feature_gates")
	if err := command.MarkFlagRequired("config"); err != nil {
		panic(err) // the flag is made one line above
	}
	return command
}

// Run serves the control planes of a config until ctx is done, then ends all of them. GOGC is Go's own.
func Run(ctx context.Context, own settings.Config) error {
	syscall.Umask(0o077)
	rest.SetDefaultWarningHandler(rest.NoWarnings{}) // as upstream: the components use deprecated APIs on purpose
	// Gates must be set before the first flag set is made of them.
	if err := utilfeature.DefaultMutableFeatureGate.SetFromMap(own.FeatureGates); err != nil {
		return fmt.Errorf("feature_gates: %w", err)
	}
	if own.Sharing {
		share.Begin()
	}
	socket, err := admin.Listen(own.AdminSocket)
	if err != nil {
		return err
	}
	load := func() (map[string]settings.Instance, error) {
		return settings.LoadInstances(own.InstancesDir, checkController)
	}
	host := lifecycle.NewHost(own, load, starter(own.Etcd))
	register(host)
	server := &http.Server{Handler: admin.Handler(host), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(socket) }()

	err = store.WaitForEtcd(ctx, own.Etcd)
	if err == nil {
		_, err = host.Reload()
	}
	if err != nil && ctx.Err() == nil {
		return errors.Join(err, server.Close())
	}
	select {
	case <-ctx.Done():
	case err = <-served:
		klog.ErrorS(err, "Admin server ended")
	}
	host.End()
	return errors.Join(ignoreClosed(err), server.Close())
}

// ignoreClosed drops the errors that an asked-for end brings.
func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
