// Package dense runs many Kubernetes control planes in one process, over one etcd with a key prefix each.
//
// A control plane (an "instance") is upstream's own kube-apiserver, a kube-controller-manager with the controllers that
// were requested, and a kube-scheduler, put together from upstream's packages. What upstream keeps once per process,
// all instances share: the metrics registry, the log and the feature gates.
//
// The parts: settings is what is read from files; lifecycle says when a control plane starts and stops, and converges all
// to the files; admin serves that over a unix socket. This package is what a control plane is made of, and the command.
//
// What upstream does that an operator of this process must know:
//   - A kube-apiserver whose start hook fails (etcd gone for tens of seconds while it starts, for instance) calls
//     klog.Fatal and ends the whole process. So the host waits for etcd first, stops no instance that is still starting,
//     and is meant to be restarted by a supervisor.
//   - A listener that is closed under a running server panics. So only connections are closed from outside.
//   - kube-controller-manager's app.Run exits the process when a controller cannot start. Its parts are called instead,
//     and an error fails that instance only.
//   - Flags of an instance that are the process's (feature gates, logging) are refused.
package dense
