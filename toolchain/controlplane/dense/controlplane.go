package dense

import (
	"context"

	"k8s.io/klog/v2"

	"fleet.example/toolchain/controlplane/dense/lifecycle"
	"fleet.example/toolchain/controlplane/dense/settings"
)

// running is a control plane that was started: a lifecycle.ControlPlane.
type running struct {
	server *apiServer
	cancel context.CancelFunc // ends controllers and scheduler
	waits  []func()
}

// starter starts control planes on that etcd.
func starter(etcd settings.Etcd) lifecycle.Starter {
	return func(instance settings.Instance) (lifecycle.ControlPlane, error) { return bringUp(etcd, instance) }
}

// bringUp starts the three components in order; what was started is stopped again when a later one fails.
func bringUp(etcd settings.Etcd, instance settings.Instance) (lifecycle.ControlPlane, error) {
	server, err := startAPIServer(etcd, instance)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(),
		klog.LoggerWithValues(klog.Background(), "controlPlane", instance.Name)))
	up := &running{server: server, cancel: cancel}
	if err := server.waitReady(ctx); err != nil {
		up.Stop()
		return nil, err
	}
	parts := []func(context.Context, settings.Instance, *apiServer) (func(), error){}
	if len(instance.Controllers) > 0 {
		parts = append(parts, startControllers)
	}
	if instance.SchedulerKubeconfig != "" {
		parts = append(parts, startScheduler)
	}
	for _, start := range parts {
		wait, err := start(ctx, instance, server)
		if err != nil {
			up.Stop()
			return nil, err
		}
		up.waits = append(up.waits, wait)
	}
	return up, nil
}

// Ended implements lifecycle.ControlPlane: a control plane ends with its API server.
func (r *running) Ended() <-chan struct{} { return r.server.ended }

// Err implements lifecycle.ControlPlane.
func (r *running) Err() error { return r.server.err }

// Stop implements lifecycle.ControlPlane. Scheduler and controllers end first, so that they do not fill the log with
// refused connections.
func (r *running) Stop() {
	r.cancel()
	for _, wait := range r.waits {
		wait()
	}
	r.server.stop()
}
