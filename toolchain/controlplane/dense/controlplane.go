package dense

import (
	"context"
	"time"

	"k8s.io/klog/v2"

	"fleet.example/toolchain/controlplane/dense/lifecycle"
	"fleet.example/toolchain/controlplane/dense/settings"
	"fleet.example/toolchain/controlplane/dense/socket"
)

// running is a control plane that was started: a lifecycle.Sleeper.
type running struct {
	etcd     settings.Etcd
	instance settings.Instance
	server   *apiServer
	cancel   context.CancelFunc // ends controllers and scheduler
	waits    []func()
}

// starter starts control planes on that etcd.
func starter(etcd settings.Etcd) lifecycle.Starter {
	return func(instance settings.Instance) (lifecycle.ControlPlane, error) {
		own, err := socket.Listen(context.Background(), instance.BindAddress, instance.SecurePort)
		if err != nil {
			return nil, err
		}
		up, err := bringUp(etcd, instance, own)
		if err != nil {
			_ = own.Close()
			return nil, err
		}
		return up, nil
	}
}

// bringUp starts the three components in order; what was started is stopped again when a later one fails. The port stays.
func bringUp(etcd settings.Etcd, instance settings.Instance, own *socket.Port) (*running, error) {
	server, err := startAPIServer(etcd, instance, own)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(),
		klog.LoggerWithValues(klog.Background(), "controlPlane", instance.Name)))
	up := &running{etcd: etcd, instance: instance, server: server, cancel: cancel}
	if err := server.waitReady(ctx); err != nil {
		up.end()
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
			up.end()
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

// Stop implements lifecycle.ControlPlane.
func (r *running) Stop() {
	_ = r.server.port.Close()
	r.end()
}

// Quiet implements lifecycle.Sleeper. Clients within the process are no connections.
func (r *running) Quiet() time.Duration { return r.server.listener.Idle() }

// Sleep implements lifecycle.Sleeper.
func (r *running) Sleep() lifecycle.Sleeping {
	knocked := r.server.port.Leave()
	r.end()
	return &sleeping{etcd: r.etcd, instance: r.instance, port: r.server.port, knocked: knocked}
}

// end stops all but the port. Scheduler and controllers end first, so that they do not fill the log with refused
// connections.
func (r *running) end() {
	r.cancel()
	for _, wait := range r.waits {
		wait()
	}
	r.server.stop()
}

// sleeping is the port of a control plane that sleeps: a lifecycle.Sleeping.
type sleeping struct {
	etcd     settings.Etcd
	instance settings.Instance
	port     *socket.Port
	knocked  <-chan struct{}
}

// Knocked implements lifecycle.Sleeping.
func (s *sleeping) Knocked() <-chan struct{} { return s.knocked }

// Wake implements lifecycle.Sleeping.
func (s *sleeping) Wake() (lifecycle.ControlPlane, error) {
	up, err := bringUp(s.etcd, s.instance, s.port)
	if err != nil {
		return nil, err
	}
	return up, nil
}

// Close implements lifecycle.Sleeping.
func (s *sleeping) Close() { _ = s.port.Close() }
